// What a crash leaves in the error log: the stack of the thread that crashed, or of the one that was stuck when the
// master's SIGABRT came.
#pragma once

namespace cppcorn {

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, on a stack of their own so that an overflown one
// can be told. Each writes the stack to the error log's descriptor and lets the signal do what it would have done: the
// exit status and the core dump are as without it.
void install_crash_report();

} // namespace cppcorn

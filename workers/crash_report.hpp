// What a crash leaves in the error log: the stack of the thread that crashed, or of the one that was stuck when the
// master's SIGABRT came.
#pragma once

namespace cppcorn {

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, on a stack of their own so that an overflown one
// can be told. Each writes the stack to the descriptor and lets the signal do what it would have done: the exit status
// and the core dump are as without it. The descriptor is asked for anew with each set_crash_log().
void install_crash_report(int log_fd);
void set_crash_log(int log_fd);

} // namespace cppcorn

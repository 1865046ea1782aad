// What a crash leaves: the stack of the thread that crashed, or of the one that was stuck when the master's SIGABRT
// came, in memory that the master reads once the process is dead.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/crash_record.hpp"

namespace cppcorn {

// Installs handlers for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, on a stack of their own so that an overflown one
// can be told; that is the calling thread's, other threads have none. Each fills in the record and lets the signal do
// what it would have done: the exit status and the core dump are as without it. The record, in memory that outlives
// this process, begins with zeros. A process that is forked from this one leaves it alone.
void install_crash_report(CrashRecord& record);

// Whoever has given the calling thread another stack for its handlers since, a smaller one maybe: it is that one again.
void take_crash_stack();

// A crash of the calling thread, which is the process's first one, sets `flag` and rings `bell`, an eventfd, before
// anything is reported. Both outlive the process.
void tell_of_crash(std::atomic<std::uint8_t>& flag, int bell);

} // namespace cppcorn

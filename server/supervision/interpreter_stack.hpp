// The stack of an interpreter that serves, as it writes it itself when it is asked to by a signal: into a file in memory that
// the master shares with its workers. One at a time. The master's; nothing waits, and nothing throws but make_stack_file().
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "base/clock.hpp"

namespace cppcorn {

// Before any worker is forked, where there is an interpreter. Throws std::system_error.
void make_stack_file();
// Its descriptor, which workers keep; -1: there is none. For the table that bridges get.
int stack_file();

class InterpreterStack {
  public:
    // Whether that process listens to the signal.
    static bool can_ask(pid_t pid);

    bool is_asked_for() const { return asked_at_ != SteadyTime::max(); }
    void ask(pid_t pid, SteadyTime now);
    // What it has written, once that is all; "" if it has not answered in time. nullopt: it is too early to say.
    std::optional<std::string> look(SteadyTime now);
    // When look() is due; SteadyTime::max() while nothing is asked for.
    SteadyTime due() const { return due_; }

  private:
    SteadyTime asked_at_ = SteadyTime::max();
    SteadyTime due_ = SteadyTime::max();
    std::size_t size_ = 0; // when last looked at
};

} // namespace cppcorn

// Signals as something a poll loop can wait for. The handler counts the signal and wakes an eventfd; whoever waits
// takes the counts and acts outside the handler. One inbox a process: a fork makes its own before it unblocks signals.
#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <initializer_list>

#include "base/unique_fd.hpp"

namespace cppcorn {

class SignalInbox {
  public:
    // Installs the handlers (SA_RESTART). Signals that were noted before are forgotten.
    explicit SignalInbox(std::initializer_list<int> signals);
    // The handlers stay installed and note into nothing; a process that needs that no more is about to end.
    ~SignalInbox();
    SignalInbox(const SignalInbox&) = delete;
    SignalInbox& operator=(const SignalInbox&) = delete;

    // Readable when a signal came. For poll or epoll.
    int fd() const { return wake_.get(); }

    static constexpr std::size_t signal_count = 32; // the classic ones

    // What came since the last call. The kernel itself makes one of several that come before the first is delivered.
    class Taken {
      public:
        explicit Taken(const std::array<unsigned, signal_count>& counts) : counts_(counts) {}
        bool contains(int signal) const { return count(signal) > 0; }
        unsigned count(int signal) const { return counts_[static_cast<std::size_t>(signal)]; }

      private:
        std::array<unsigned, signal_count> counts_;
    };
    Taken take();
    // Whether it came and was not taken yet.
    bool noted(int signal) const;

  private:
    UniqueFd wake_;
};

// Blocks every signal for as long as it lives: around a fork, so that none is lost between parent's handlers and
// child's.
class SignalBlock {
  public:
    SignalBlock();
    ~SignalBlock();
    SignalBlock(const SignalBlock&) = delete;
    SignalBlock& operator=(const SignalBlock&) = delete;

  private:
    sigset_t saved_;
};

// Nothing happens when they come. By a handler that does nothing: unlike ignored signals, these have their usual effect
// again in a program that the app starts.
void disregard_signals(std::initializer_list<int> signals);
void reset_signals(std::initializer_list<int> signals);
void unblock_all_signals();

// "SIGSEGV"; "an unnamed signal" for the rest.
const char* signal_name(int signal);

} // namespace cppcorn

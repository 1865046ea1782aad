// Signals as something a poll loop can wait for. The handler counts the signal and wakes an eventfd; whoever waits
// takes the counts and acts outside the handler. One inbox a process: a fork makes its own before it unblocks signals.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/server_fd.hpp"

namespace cppcorn {

class SignalInbox {
  public:
    // Installs the handlers (SA_RESTART). Signals that were noted before are forgotten.
    explicit SignalInbox(const std::vector<int>& signals);
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
    ServerFd wake_;
};

} // namespace cppcorn

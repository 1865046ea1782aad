#include "base/signal_inbox.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/signal_sender.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// All that a handler may touch.
std::array<std::atomic<unsigned>, SignalInbox::signal_count> pending_signals{};
std::atomic<int> wake_fd{-1};

void note_signal(int signal, siginfo_t* info, void*) {
    const int saved_errno = errno;
    note_signal_sender(signal, *info);
    pending_signals[static_cast<std::size_t>(signal)].fetch_add(1);
    const std::uint64_t one = 1;
    if (const int fd = wake_fd.load(); fd >= 0) {
        [[maybe_unused]] const auto ignored = ::write(fd, &one, sizeof one);
    }
    errno = saved_errno;
}

} // namespace

SignalInbox::SignalInbox(const std::vector<int>& signals)
    : wake_(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd")) {
    for (auto& count : pending_signals) count = 0;
    wake_fd = wake_.get();
    for (const int signal : signals) {
        struct sigaction action {};
        action.sa_sigaction = note_signal;
        action.sa_flags = SA_RESTART | SA_SIGINFO;
        sigfillset(&action.sa_mask);
        check(::sigaction(signal, &action, nullptr), "cannot install a signal handler");
    }
}

SignalInbox::~SignalInbox() {
    wake_fd = -1;
}

SignalInbox::Taken SignalInbox::take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(wake_.get(), &count, sizeof count);
    std::array<unsigned, signal_count> counts{};
    for (std::size_t i = 0; i < signal_count; ++i) counts[i] = pending_signals[i].exchange(0);
    return Taken(counts);
}

bool SignalInbox::noted(int signal) const {
    return pending_signals[static_cast<std::size_t>(signal)].load(std::memory_order_relaxed) != 0;
}

} // namespace cppcorn

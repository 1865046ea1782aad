#include "base/signal_inbox.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// All that a handler may touch.
std::array<std::atomic<unsigned>, SignalInbox::signal_count> pending_signals{};
std::atomic<int> wake_fd{-1};

void note_signal(int signal) {
    const int saved_errno = errno;
    pending_signals[static_cast<std::size_t>(signal)].fetch_add(1);
    const std::uint64_t one = 1;
    if (const int fd = wake_fd.load(); fd >= 0) {
        [[maybe_unused]] const auto ignored = ::write(fd, &one, sizeof one);
    }
    errno = saved_errno;
}

void set_handler(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    check(::sigaction(signal, &action, nullptr), std::string("cannot handle ") + signal_name(signal));
}

} // namespace

SignalInbox::SignalInbox(std::initializer_list<int> signals)
    : wake_(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot make an eventfd")) {
    for (auto& count : pending_signals) count = 0;
    wake_fd = wake_.get();
    for (const int signal : signals) set_handler(signal, note_signal);
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

SignalBlock::SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &saved_);
}

SignalBlock::~SignalBlock() {
    ::sigprocmask(SIG_SETMASK, &saved_, nullptr);
}

void disregard_signals(std::initializer_list<int> signals) {
    for (const int signal : signals) set_handler(signal, [](int) {});
}

void reset_signals(std::initializer_list<int> signals) {
    for (const int signal : signals) set_handler(signal, SIG_DFL);
}

void unblock_all_signals() {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

const char* signal_name(int signal) {
    struct Name {
        int number;
        const char* text;
    };
    static constexpr Name names[] = {
        {SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGHUP, "SIGHUP"},
        {SIGILL, "SIGILL"},   {SIGINT, "SIGINT"},   {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"}, {SIGQUIT, "SIGQUIT"},
        {SIGSEGV, "SIGSEGV"}, {SIGSYS, "SIGSYS"},   {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGTTIN, "SIGTTIN"},
        {SIGTTOU, "SIGTTOU"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"}, {SIGWINCH, "SIGWINCH"},
    };
    for (const auto& name : names) {
        if (name.number == signal) return name.text;
    }
    return "an unnamed signal";
}

} // namespace cppcorn

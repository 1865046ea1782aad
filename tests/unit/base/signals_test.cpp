#include "base/signals.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include <sys/wait.h>

#include "tests/catch.hpp"
#include "tests/unit/base/saved_signals.hpp"

using namespace cppcorn;

namespace {

bool is_blocked(int signal) {
    sigset_t mask;
    ::sigprocmask(SIG_SETMASK, nullptr, &mask);
    return ::sigismember(&mask, signal) == 1;
}

struct sigaction action_of(int signal) {
    struct sigaction action {};
    REQUIRE(::sigaction(signal, nullptr, &action) == 0);
    return action;
}

} // namespace

TEST_CASE("signal_table: one row for each signal") {
    std::set<int> numbers;
    for (const auto& row : signal_table) numbers.insert(row.number);
    CHECK(numbers.size() == std::size(signal_table));
}

TEST_CASE("signals_used: by the kind of process") {
    const auto uses = [](ProcessKind kind, SignalUse use, int signal) {
        const auto signals = signals_used(kind, use);
        return std::count(signals.begin(), signals.end(), signal) == 1;
    };
    CHECK(uses(ProcessKind::master, SignalUse::handled, SIGHUP));
    CHECK(uses(ProcessKind::worker, SignalUse::ignored, SIGHUP));
    CHECK_FALSE(uses(ProcessKind::worker, SignalUse::handled, SIGHUP));
    CHECK(uses(ProcessKind::worker, SignalUse::handled, SIGTERM));
    CHECK(uses(ProcessKind::worker, SignalUse::crash, SIGSEGV));
    CHECK_FALSE(uses(ProcessKind::master, SignalUse::crash, SIGSEGV));
}

TEST_CASE("set_signal_handler: what it interrupts goes on, and no other signal interrupts it") {
    const SavedSignals saved;
    set_signal_handler(SIGUSR1, [](int) {});
    CHECK((action_of(SIGUSR1).sa_flags & SA_RESTART) != 0);
    const sigset_t mask = action_of(SIGUSR1).sa_mask;
    CHECK(::sigismember(&mask, SIGTERM) == 1);
}

TEST_CASE("SignalBlock: blocks all that can be blocked, and puts the mask back") {
    const SavedSignals saved;
    sigset_t hup;
    ::sigemptyset(&hup);
    ::sigaddset(&hup, SIGHUP);
    ::sigprocmask(SIG_BLOCK, &hup, nullptr);
    {
        const SignalBlock block;
        for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1, SIGHUP}) CHECK(is_blocked(signal));
    }
    CHECK(is_blocked(SIGHUP));
    CHECK_FALSE(is_blocked(SIGUSR1));
}

TEST_CASE("unblock_all_signals: also those that were blocked before") {
    const SavedSignals saved;
    const SignalBlock block;
    unblock_all_signals();
    for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1, SIGHUP}) CHECK_FALSE(is_blocked(signal));
}

TEST_CASE("ignore_signals: they do nothing here, and have their usual effect in a program that is started") {
    const SavedSignals saved;
    ignore_signals(ProcessKind::worker);
    CHECK(::raise(SIGHUP) == 0);
    const int status = std::system("kill -HUP $$");
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGHUP);
}

TEST_CASE("reset_signals: the usual effect again") {
    const SavedSignals saved;
    for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1}) set_signal_handler(signal, [](int) {});
    reset_signals();
    for (const int signal : {SIGTERM, SIGCHLD, SIGUSR1}) CHECK(action_of(signal).sa_handler == SIG_DFL);
}

TEST_CASE("signal_name: the names that people know") {
    CHECK(signal_name(SIGSEGV) == std::string("SIGSEGV"));
    CHECK(signal_name(SIGKILL) == std::string("SIGKILL"));
    CHECK(signal_name(SIGWINCH) == std::string("SIGWINCH"));
    CHECK(signal_name(SIGRTMIN) == std::string("an unnamed signal"));
    CHECK(signal_name(0) == std::string("an unnamed signal"));
}

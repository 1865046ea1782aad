#include "base/signal_inbox.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>

#include <poll.h>
#include <unistd.h>

#include "base/signals.hpp"
#include "tests/catch.hpp"
#include "tests/unit/base/saved_signals.hpp"

using namespace cppcorn;

namespace {

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

// A signal to oneself is handled before raise() returns, unless it is blocked.
void raise_times(int signal, int times) {
    for (int i = 0; i < times; ++i) REQUIRE(::raise(signal) == 0);
}

} // namespace

TEST_CASE("SignalInbox: a signal makes it readable and is taken once") {
    const SavedSignals saved;
    SignalInbox inbox({SIGUSR1, SIGUSR2});
    CHECK_FALSE(is_readable(inbox.fd()));
    CHECK_FALSE(inbox.take().contains(SIGUSR1));
    raise_times(SIGUSR1, 1);
    CHECK(is_readable(inbox.fd()));
    const auto taken = inbox.take();
    CHECK(taken.contains(SIGUSR1));
    CHECK_FALSE(taken.contains(SIGUSR2));
    CHECK_FALSE(is_readable(inbox.fd()));
    CHECK_FALSE(inbox.take().contains(SIGUSR1));
}

TEST_CASE("SignalInbox: each signal is counted by itself") {
    const SavedSignals saved;
    SignalInbox inbox({SIGUSR1, SIGUSR2});
    raise_times(SIGUSR1, 3);
    raise_times(SIGUSR2, 2);
    const auto taken = inbox.take();
    CHECK(taken.count(SIGUSR1) == 3);
    CHECK(taken.count(SIGUSR2) == 2);
    CHECK(taken.count(SIGHUP) == 0);
}

TEST_CASE("SignalInbox: several of a kind that wait while blocked are one") {
    const SavedSignals saved;
    SignalInbox inbox({SIGUSR1});
    {
        const SignalBlock block;
        raise_times(SIGUSR1, 5);
        CHECK_FALSE(is_readable(inbox.fd()));
    }
    CHECK(inbox.take().count(SIGUSR1) == 1);
}

TEST_CASE("SignalInbox: what has come can be seen before it is taken") {
    const SavedSignals saved;
    SignalInbox inbox({SIGUSR1, SIGUSR2});
    CHECK_FALSE(inbox.noted(SIGUSR1));
    raise_times(SIGUSR1, 1);
    CHECK(inbox.noted(SIGUSR1));
    CHECK(inbox.noted(SIGUSR1));
    CHECK_FALSE(inbox.noted(SIGUSR2));
    inbox.take();
    CHECK_FALSE(inbox.noted(SIGUSR1));
}

TEST_CASE("SignalInbox: a new one begins empty") {
    const SavedSignals saved;
    {
        SignalInbox before({SIGUSR1});
        raise_times(SIGUSR1, 1);
    }
    SignalInbox inbox({SIGUSR1});
    CHECK_FALSE(inbox.noted(SIGUSR1));
    CHECK_FALSE(inbox.take().contains(SIGUSR1));
}

TEST_CASE("SignalInbox: once it is gone, its signals do no harm") {
    const SavedSignals saved;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    int fd = -1;
    {
        SignalInbox inbox({SIGUSR1});
        fd = inbox.fd();
    }
    // Whatever has its number now must not be written to.
    REQUIRE(::dup2(ends[1], fd) == fd);
    raise_times(SIGUSR1, 1);
    CHECK_FALSE(is_readable(ends[0]));
    for (const int end : {ends[0], ends[1], fd}) ::close(end);
}

TEST_CASE("SignalInbox: the handler leaves errno alone") {
    const SavedSignals saved;
    SignalInbox inbox({SIGUSR1});
    // An eventfd that is full refuses the handler's write with EAGAIN.
    const std::uint64_t nearly_full = 0xfffffffffffffffe;
    REQUIRE(::write(inbox.fd(), &nearly_full, sizeof nearly_full) == sizeof nearly_full);
    errno = ENOENT;
    ::raise(SIGUSR1);
    CHECK(errno == ENOENT);
    CHECK(inbox.take().contains(SIGUSR1));
}

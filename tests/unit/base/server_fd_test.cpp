#include "base/server_fd.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

// In a child, so that nothing of this process is closed; its exit code is 0 if `holds` does.
template <class Check>
bool in_child(Check holds) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(holds() ? 0 : 1);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status == 0;
}

TEST_CASE("ServerFd: a child closes those that it is not to keep, and no others") {
    const ServerFd closed(open_null());
    const ServerFd kept(open_null());
    const UniqueFd foreign(open_null());
    CHECK(in_child([&] {
        const int keeps[] = {kept.get()};
        close_server_fds(keeps);
        return !is_open(closed.get()) && is_open(kept.get()) && is_open(foreign.get());
    }));
    CHECK(is_open(closed.get()));
}

TEST_CASE("ServerFd: what was closed in a child is not closed again by its owner there") {
    ServerFd closed(open_null());
    CHECK(in_child([&] {
        const int number = closed.get();
        close_server_fds({});
        const int again = open_null(); // takes the number
        if (::dup2(again, number) < 0) return false;
        closed.reset();
        return is_open(number);
    }));
}

TEST_CASE("ServerFd: moved, it is one and the same descriptor") {
    ServerFd first(open_null());
    const int number = first.get();
    ServerFd second(std::move(first));
    CHECK_FALSE(first.is_open()); // NOLINT(bugprone-use-after-move)
    CHECK(second.get() == number);
    ServerFd third(open_null());
    const int other = third.get();
    third = std::move(second);
    CHECK(third.get() == number);
    CHECK_FALSE(is_open(other));
    third.reset();
    CHECK_FALSE(is_open(number));
}

TEST_CASE("ServerFd: taken out, it is like any other") {
    ServerFd fd(open_null());
    const UniqueFd taken = fd.take();
    CHECK_FALSE(fd.is_open());
    CHECK(in_child([&] {
        close_server_fds({});
        return is_open(taken.get());
    }));
}

} // namespace
} // namespace cppcorn

#include "server/release/hand_over.hpp"

#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

// Variables of this process's environment for one test.
class Variables {
  public:
    ~Variables() {
        for (const auto& name : names_) ::unsetenv(name.c_str());
    }
    void set(const std::string& name, const std::string& value) {
        ::setenv(name.c_str(), value.c_str(), 1);
        names_.push_back(name);
    }
    bool all_taken() const {
        for (const auto& name : names_) {
            if (std::getenv(name.c_str()) != nullptr) return false;
        }
        return true;
    }

  private:
    std::vector<std::string> names_;
};

// A descriptor that parse may own and close.
int some_descriptor() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

std::string upgrade_from(pid_t pid) {
    return "1 " + std::to_string(pid);
}

std::string error_of_taking() {
    try {
        take_inheritance();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

TEST_CASE("hand-over: without variables nothing is inherited") {
    const Inheritance inheritance = take_inheritance();
    CHECK_FALSE(inheritance.is_upgrade);
    CHECK_FALSE(inheritance.predecessor.has_value());
    CHECK(inheritance.activated_binds.empty());
    CHECK(inheritance.sockets.empty());
}

TEST_CASE("hand-over: sockets of a service manager are ours if the pid is") {
    Variables variables;
    variables.set("LISTEN_FDS", "2");
    variables.set("LISTEN_FDNAMES", "a:b");
    SECTION("ours") {
        variables.set("LISTEN_PID", std::to_string(::getpid()));
        CHECK(take_inheritance().activated_binds == std::vector<std::string>{"fd://3", "fd://4"});
    }
    SECTION("another process's") {
        variables.set("LISTEN_PID", std::to_string(::getpid() + 1));
        CHECK(take_inheritance().activated_binds.empty());
    }
    SECTION("nobody's") {
        CHECK(take_inheritance().activated_binds.empty());
    }
    CHECK(variables.all_taken());
}

TEST_CASE("hand-over: a number of sockets that is none is refused") {
    for (const std::string text : {"x", "-1", "1025", "2 ", ""}) {
        Variables variables;
        variables.set("LISTEN_PID", std::to_string(::getpid()));
        variables.set("LISTEN_FDS", text);
        CHECK(error_of_taking() == (text.empty() ? "" : "LISTEN_FDS: '" + text + "' is not a number of sockets"));
    }
}

TEST_CASE("hand-over: an upgrade brings the old master and its sockets") {
    Variables variables;
    const int fd = some_descriptor();
    const int unix_fd = some_descriptor();
    variables.set("CPPCORN_UPGRADE", upgrade_from(::getppid()));
    variables.set("CPPCORN_LISTENER_" + std::to_string(fd), "0 127.0.0.1:8000");
    variables.set("CPPCORN_LISTENER_" + std::to_string(unix_fd), "4711 unix:/run/with space.sock");
    variables.set("CPPCORN_CONNECTIONS", "1 20 21 22");
    const Inheritance inheritance = take_inheritance();
    CHECK(inheritance.is_upgrade);
    CHECK(inheritance.queue == "1 20 21 22");
    REQUIRE(inheritance.predecessor.has_value());
    CHECK(inheritance.predecessor->pid == ::getppid());
    CHECK(inheritance.predecessor->process.is_open());
    REQUIRE(inheritance.sockets.size() == 2);
    CHECK(inheritance.sockets[0].address == parse_bind("127.0.0.1:8000"));
    CHECK(inheritance.sockets[0].socket.get() == fd);
    CHECK(inheritance.sockets[0].file_number == 0);
    CHECK(inheritance.sockets[1].address == parse_bind("unix:/run/with space.sock"));
    CHECK(inheritance.sockets[1].file_number == 4711);
    CHECK(variables.all_taken());
}

TEST_CASE("hand-over: an upgrade of a socket-activated master passes the number on, whatever LISTEN_PID is") {
    Variables variables;
    variables.set("CPPCORN_UPGRADE", upgrade_from(::getppid()));
    variables.set("LISTEN_FDS", "1");
    CHECK(take_inheritance().activated_binds == std::vector<std::string>{"fd://3"});
}

TEST_CASE("hand-over: without an upgrade there is no queue of anybody else's") {
    Variables variables;
    variables.set("CPPCORN_CONNECTIONS", "1 20 21 22");
    CHECK(take_inheritance().queue.empty());
    CHECK(variables.all_taken());
}

TEST_CASE("hand-over: an old master that has ended meanwhile is none") {
    Variables variables;
    variables.set("CPPCORN_UPGRADE", upgrade_from(1 << 22)); // beyond the largest pid
    const Inheritance inheritance = take_inheritance();
    CHECK(inheritance.is_upgrade);
    CHECK_FALSE(inheritance.predecessor.has_value());
}

TEST_CASE("hand-over: a process that is not our parent is no predecessor") {
    Variables variables;
    variables.set("CPPCORN_UPGRADE", upgrade_from(::getpid()));
    CHECK_FALSE(take_inheritance().predecessor.has_value());
}

TEST_CASE("hand-over: another version of the protocol is refused") {
    for (const std::string text : {"2 100", "1", "1 ", "1 x", "100"}) {
        Variables variables;
        variables.set("CPPCORN_UPGRADE", text);
        CHECK(error_of_taking() == "CPPCORN_UPGRADE='" + text +
                                       "' is not understood: the old master is of another version; stop it, then start "
                                       "anew");
    }
}

TEST_CASE("hand-over: a listener that cannot be read is refused") {
    for (const std::string text : {"127.0.0.1:80", "x 127.0.0.1:80", " 127.0.0.1:80", ""}) {
        Variables variables;
        variables.set("CPPCORN_UPGRADE", upgrade_from(::getppid()));
        variables.set("CPPCORN_LISTENER_9", text);
        CHECK(error_of_taking() == "CPPCORN_LISTENER_9='" + text + "' is not understood");
    }
}

TEST_CASE("hand-over: variables with other names than a descriptor's number are left alone") {
    Variables variables;
    variables.set("CPPCORN_UPGRADE", upgrade_from(::getppid()));
    variables.set("CPPCORN_LISTENER_x", "0 127.0.0.1:80");
    CHECK(take_inheritance().sockets.empty());
    CHECK(std::getenv("CPPCORN_LISTENER_x") != nullptr);
}

TEST_CASE("hand-over: inherited sockets become listeners, which own their files once the old master is gone") {
    Inheritance inheritance;
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::listen(socket, 1) == 0);
    inheritance.sockets.push_back({parse_bind("127.0.0.1:0"), UniqueFd(socket), 0});
    const Listeners listeners = open_inherited(inheritance, Links::followed);
    REQUIRE(listeners.size() == 1);
    CHECK(listeners[0]->for_worker().fd == socket);
    CHECK((::fcntl(socket, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(inheritance.sockets.empty());
}

TEST_CASE("hand-over: an inherited socket that does not listen is refused") {
    Inheritance inheritance;
    inheritance.sockets.push_back({parse_bind("127.0.0.1:80"), UniqueFd(::socket(AF_INET, SOCK_STREAM, 0)), 0});
    CHECK_THROWS_AS(open_inherited(inheritance, Links::followed), std::runtime_error);
}

} // namespace
} // namespace cppcorn

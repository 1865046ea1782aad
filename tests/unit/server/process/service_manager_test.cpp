#include "server/process/service_manager.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

using State = ServiceManager::State;

// What systemd is to a service: a datagram socket that the environment names. A datagram is there as soon as it is
// sent, so nothing has to be waited for.
class Systemd {
  public:
    // With '@' in front, an abstract address.
    explicit Systemd(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        if (path.front() == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    Systemd(const Systemd&) = delete;
    Systemd& operator=(const Systemd&) = delete;
    ~Systemd() {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    }

    void watch(const std::string& usec) { ::setenv("WATCHDOG_USEC", usec.c_str(), 1); }

    // The next message; "" if there is none.
    std::string next() {
        char text[512];
        const auto size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
        return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
    }
    void go_away() { socket_.reset(); }

  private:
    UniqueFd socket_;
};

struct Place {
    TemporaryFolder folder;
    Systemd systemd{folder / "notify"};
};

// Says something new until the socket takes no more.
void fill(ServiceManager& manager) {
    for (int i = 0; manager.due() == SteadyTime::max(); ++i) {
        if (i == 100'000) FAIL("it never finds the socket full");
        manager.update(State::ready, std::to_string(i));
    }
}

} // namespace

TEST_CASE("ServiceManager: without one, all of it does nothing") {
    ::setenv("WATCHDOG_USEC", "1000", 1);
    ServiceManager manager;
    CHECK(manager.due() == SteadyTime::max());
    manager.update(State::ready, "serving");
    manager.ping(SteadyTime::max());
    manager.take_over();
    manager.hand_over(4711);
    CHECK(manager.due() == SteadyTime::max());
    CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
}

TEST_CASE("ServiceManager: a service that is not well is not vouched for, and at once when it is again") {
    Place place;
    place.systemd.watch("2000000");
    ServiceManager manager;
    const SteadyTime now = SteadyClock::now() + 1s;
    manager.ping(now);
    CHECK(place.systemd.next() == "WATCHDOG=1\n");
    manager.ping(now + 5s, false);
    CHECK(place.systemd.next() == "");
    CHECK(manager.due() == SteadyTime::max());
    manager.ping(now + 6s);
    CHECK(place.systemd.next() == "WATCHDOG=1\n");
    CHECK(manager.due() == now + 7s);
}

TEST_CASE("ServiceManager: its variables are not left to the children") {
    Place place;
    place.systemd.watch("2000000");
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const ServiceManager manager;
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) CHECK(std::getenv(name) == nullptr);
}

TEST_CASE("ServiceManager: what has changed is told, and nothing else") {
    Place place;
    ServiceManager manager;
    manager.update(State::starting, "0 of 2 workers serve");
    CHECK(place.systemd.next() == "STATUS=0 of 2 workers serve\n");
    manager.update(State::ready, "1 of 2 workers serve");
    CHECK(place.systemd.next() == "READY=1\nSTATUS=1 of 2 workers serve\n");
    manager.update(State::ready, "1 of 2 workers serve");
    CHECK(place.systemd.next() == "");
    manager.update(State::ready, "2 of 2 workers serve");
    CHECK(place.systemd.next() == "STATUS=2 of 2 workers serve\n");
    manager.update(State::stopping, "2 of 2 workers serve");
    CHECK(place.systemd.next() == "STOPPING=1\n");
    CHECK(place.systemd.next() == "");
}

TEST_CASE("ServiceManager: a reload is told with the time of its begin, and its end as ready") {
    Place place;
    ServiceManager manager;
    manager.update(State::ready, "");
    CHECK(place.systemd.next() == "READY=1\n");
    const auto usec = [] {
        return std::chrono::duration_cast<std::chrono::microseconds>(SteadyTime::clock::now().time_since_epoch())
            .count();
    };
    const auto before = usec();
    manager.update(State::reloading, "");
    const std::string begin = "RELOADING=1\nMONOTONIC_USEC=";
    const std::string message = place.systemd.next();
    REQUIRE(message.substr(0, begin.size()) == begin);
    const auto told = std::stoll(message.substr(begin.size()));
    CHECK(told >= before);
    CHECK(told <= usec());
    manager.update(State::ready, "");
    CHECK(place.systemd.next() == "READY=1\n");
}

TEST_CASE("ServiceManager: an abstract socket") {
    Systemd systemd("@cppcorn-test-" + std::to_string(::getpid()));
    ServiceManager manager;
    manager.update(State::ready, "");
    CHECK(systemd.next() == "READY=1\n");
}

TEST_CASE("ServiceManager: one that cannot be reached is done without") {
    const TemporaryFolder folder;
    const std::string path =
        GENERATE_REF(folder / "nobody", std::string("relative"), std::string(), "/" + std::string(200, 'x'));
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "1000", 1);
    ServiceManager manager;
    manager.update(State::ready, "serving");
    CHECK(manager.due() == SteadyTime::max());
}

TEST_CASE("ServiceManager: the watchdog is pinged at once, and then twice in its time") {
    Place place;
    place.systemd.watch("2000000");
    ServiceManager manager;
    const SteadyTime now = SteadyTime::clock::now() + 1h;
    CHECK(manager.due() < now);
    manager.ping(now);
    CHECK(place.systemd.next() == "WATCHDOG=1\n");
    CHECK(manager.due() == now + 1s);
    manager.ping(now + 999ms);
    CHECK(place.systemd.next() == "");
    manager.ping(now + 1500ms);
    CHECK(place.systemd.next() == "WATCHDOG=1\n");
    CHECK(manager.due() == now + 2500ms);
}

TEST_CASE("ServiceManager: no pings where there is no watchdog, or it means another process") {
    Place place;
    SECTION("none") {}
    SECTION("switched off") {
        place.systemd.watch("0");
    }
    SECTION("not a number") {
        place.systemd.watch("2s");
    }
    SECTION("another process") {
        place.systemd.watch("2000000");
        ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
    }
    ServiceManager manager;
    CHECK(manager.due() == SteadyTime::max());
    manager.ping(SteadyTime::clock::now() + 1h);
    CHECK(place.systemd.next() == "");
    manager.update(State::ready, ""); // the rest is told all the same
    CHECK(place.systemd.next() == "READY=1\n");
}

TEST_CASE("ServiceManager: WATCHDOG_PID may name this process") {
    Place place;
    place.systemd.watch("2000000");
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const ServiceManager manager;
    CHECK(manager.due() != SteadyTime::max());
}

TEST_CASE("ServiceManager: what it is too busy to take is told later") {
    Place place;
    ServiceManager manager;
    fill(manager);
    const SteadyTime before = SteadyTime::clock::now();
    manager.update(State::stopping, "the end");
    CHECK(manager.due() > before);
    CHECK(manager.due() <= SteadyTime::clock::now() + 100ms);
    while (place.systemd.next() != "") {
    }
    manager.update(State::stopping, "the end");
    CHECK(place.systemd.next() == "STOPPING=1\nSTATUS=the end\n");
    CHECK(manager.due() == SteadyTime::max());
}

TEST_CASE("ServiceManager: one that has gone away is not waited for") {
    Place place;
    ServiceManager manager;
    place.systemd.go_away();
    manager.update(State::ready, "");
    CHECK(manager.due() == SteadyTime::max());
}

TEST_CASE("ServiceManager: after it was handed over, nothing more is told") {
    Place place;
    place.systemd.watch("2000000");
    ServiceManager manager;
    manager.hand_over(4711);
    CHECK(place.systemd.next() == "MAINPID=4711\n");
    CHECK(manager.due() == SteadyTime::max());
    manager.update(State::stopping, "");
    manager.ping(SteadyTime::clock::now() + 1h);
    CHECK(place.systemd.next() == "");
}

TEST_CASE("ServiceManager: who takes over says who it is") {
    Place place;
    ServiceManager manager;
    manager.take_over();
    CHECK(place.systemd.next() == "MAINPID=" + std::to_string(::getpid()) + "\n");
}

#include "server/release/passed_queue.hpp"

#include <array>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/log_text.hpp"

namespace cppcorn {
namespace {

// What an old master has, and what a new one would inherit of it.
struct Offered {
    MoveQueue queue = MoveQueue::make();
    ServerFd successors_end;
    QueueAnswer answer{successors_end};

    // Numbers that the new master may own and close.
    std::string text() const {
        return offer_of_queue(::dup(queue.take_fd()), ::dup(queue.put_fd()), ::dup(successors_end.get()));
    }
};

bool reaches(const MoveQueue& from, const MoveQueue& to) {
    char text[4] = "";
    return ::send(from.put_fd(), "one", 3, MSG_DONTWAIT) == 3 && ::recv(to.take_fd(), text, 3, MSG_DONTWAIT) == 3;
}

bool has_flag(int fd, int command, int flag) {
    return (::fcntl(fd, command) & flag) != 0;
}

TEST_CASE("passed queue: a new master takes the old one's, and says so") {
    Offered old;
    CHECK_FALSE(old.answer.has_come());
    const ServiceQueue taken = open_queue(old.text());
    CHECK(taken.is_predecessors);
    CHECK(reaches(old.queue, taken.queue));
    CHECK(reaches(taken.queue, old.queue));
    CHECK(old.answer.has_come());
    CHECK(old.answer.has_come());
    for (const int fd : {taken.queue.take_fd(), taken.queue.put_fd()}) {
        CHECK(has_flag(fd, F_GETFD, FD_CLOEXEC));
        CHECK(has_flag(fd, F_GETFL, O_NONBLOCK));
    }
}

TEST_CASE("passed queue: of a higher version than is known here, both write the lower one") {
    Offered old;
    const std::string text = old.text();
    const ServiceQueue taken = open_queue("7" + text.substr(text.find(' ')) + " what 7 adds");
    CHECK(taken.is_predecessors);
    CHECK(old.answer.has_come()); // with ours, by which the old one knows
    CHECK(reaches(old.queue, taken.queue));
}

TEST_CASE("passed queue: without an offer there is one of its own, and nothing to log") {
    const LogText log;
    const ServiceQueue made = open_queue("");
    CHECK_FALSE(made.is_predecessors);
    CHECK(reaches(made.queue, made.queue));
    CHECK(log.text().empty());
}

TEST_CASE("passed queue: what is no offer leads to one of its own and a warning") {
    Offered old;
    const std::string ends = old.text().substr(2);
    const std::string file = std::to_string(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    int streams[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams) == 0);
    const std::string stream = std::to_string(streams[0]);
    const std::array<std::string, 12> offers = {"0 " + ends,
                                                "x " + ends,
                                                "-1 " + ends,
                                                "99999999999 " + ends, // no version
                                                "1",
                                                "1 3",
                                                "1 3 4",
                                                "1 a b c",
                                                "1 -1 -1 -1",
                                                "1 60000 60001 60002",
                                                "1 " + file + " " + file + " " + file,
                                                "1 " + stream + " " + stream + " " + stream};
    for (const auto& offer : offers) {
        CAPTURE(offer);
        const LogText log;
        const ServiceQueue made = open_queue(offer);
        CHECK_FALSE(made.is_predecessors);
        CHECK(reaches(made.queue, made.queue));
        CHECK(log.text() ==
              "warning CPPCORN_CONNECTIONS='" + offer +
                  "' is not understood: connections of the old master's workers do not come to this one\n");
    }
    CHECK_FALSE(old.answer.has_come());
    ::close(streams[0]);
    ::close(streams[1]);
}

TEST_CASE("passed queue: a successor that says nothing, or has ended, takes nothing") {
    Offered old;
    CHECK_FALSE(old.answer.has_come());
    old.successors_end.reset();
    CHECK_FALSE(old.answer.has_come());
    CHECK_FALSE(QueueAnswer().has_come());
}

} // namespace
} // namespace cppcorn

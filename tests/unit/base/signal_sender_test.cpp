#include "base/signal_sender.hpp"

#include <unistd.h>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

siginfo_t sent_by(pid_t pid, uid_t uid, int code = SI_USER) {
    siginfo_t info{};
    info.si_code = code;
    info.si_pid = pid;
    info.si_uid = uid;
    return info;
}

} // namespace

TEST_CASE("who has sent a signal is known until another one comes", "[signal_sender]") {
    note_signal_sender(SIGTERM, sent_by(4711, 33));
    note_signal_sender(SIGINT, sent_by(1, 0));
    REQUIRE(last_signal_sender(SIGTERM).has_value());
    CHECK(last_signal_sender(SIGTERM)->pid == 4711);
    CHECK(last_signal_sender(SIGTERM)->uid == 33);
    CHECK(last_signal_sender(SIGINT)->pid == 1);
    note_signal_sender(SIGTERM, sent_by(0, 0, SI_KERNEL));
    CHECK_FALSE(last_signal_sender(SIGTERM).has_value());
    CHECK_FALSE(last_signal_sender(SIGTTOU).has_value());
}

TEST_CASE("a sender is named where it is still there", "[signal_sender]") {
    const std::string own = text_of(SignalSender{::getpid(), 33});
    CHECK(own.rfind("pid " + std::to_string(::getpid()) + " (", 0) == 0);
    CHECK(own.find("), uid 33") != std::string::npos);
    CHECK(text_of(SignalSender{0x7fffffff, 33}) == "pid 2147483647, uid 33");
    CHECK(text_of(SignalSender{0, 0}) == "a process outside of this container");
}

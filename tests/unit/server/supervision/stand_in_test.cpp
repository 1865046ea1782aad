#include "server/supervision/stand_in.hpp"

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;
using Command = StandIn::Command;

namespace {

const SteadyTime start = SteadyTime{} + 100s;

StandIn serving() {
    StandIn stand_in;
    REQUIRE(stand_in.tick(true, false, 1, start) == Command::start);
    stand_in.started(7, 1);
    return stand_in;
}

} // namespace

TEST_CASE("a stand-in is there while it is wanted", "[stand_in]") {
    StandIn stand_in;
    CHECK(stand_in.tick(false, false, 1, start) == Command::none);
    CHECK(stand_in.due() == SteadyTime::max());
    CHECK(stand_in.tick(true, false, 1, start) == Command::start);
    stand_in.started(7, 1);
    CHECK(stand_in.pid() == 7);
    CHECK(stand_in.tick(true, false, 1, start + 1s) == Command::none);
    CHECK(stand_in.tick(false, false, 1, start + 2s) == Command::retire);
    CHECK(stand_in.tick(false, false, 1, start + 3s) == Command::none);
    CHECK(stand_in.due() == start + 7s);
    CHECK(stand_in.tick(false, false, 1, start + 7s) == Command::kill);
    CHECK(stand_in.tick(false, false, 1, start + 7s) == Command::none);
    stand_in.exited(start + 7s);
    CHECK(stand_in.pid() == 0);
    CHECK(stand_in.due() == SteadyTime::max());
}

TEST_CASE("a stand-in that is wanted again while it retires is followed by another", "[stand_in]") {
    StandIn stand_in = serving();
    CHECK(stand_in.tick(false, false, 1, start) == Command::retire);
    CHECK(stand_in.tick(true, false, 1, start) == Command::none);
    stand_in.exited(start);
    CHECK(stand_in.tick(true, false, 1, start) == Command::start);
}

TEST_CASE("a stand-in serves on the listeners of the newest generation", "[stand_in]") {
    StandIn stand_in = serving();
    CHECK(stand_in.tick(true, false, 2, start) == Command::retire);
    stand_in.exited(start);
    CHECK(stand_in.tick(true, false, 2, start) == Command::start);
}

TEST_CASE("a stop ends a stand-in at once", "[stand_in]") {
    StandIn stand_in = serving();
    SECTION("one that serves") {}
    SECTION("one that retires") {
        CHECK(stand_in.tick(false, false, 1, start) == Command::retire);
    }
    CHECK(stand_in.tick(false, true, 1, start) == Command::exit);
    CHECK(stand_in.tick(false, true, 1, start) == Command::none);
    CHECK(stand_in.due() == start + 1s);
    CHECK(stand_in.tick(false, true, 1, start + 1s) == Command::kill);
}

TEST_CASE("a stand-in that dies, or cannot be started, is tried again after a pause", "[stand_in]") {
    StandIn stand_in = serving();
    SECTION("dies") {
        stand_in.exited(start);
    }
    SECTION("cannot be started") {
        stand_in = StandIn();
        CHECK(stand_in.tick(true, false, 1, start) == Command::start);
        stand_in.start_failed(start);
    }
    stand_in.is_to_be_logged(start);
    CHECK(stand_in.tick(true, false, 1, start) == Command::none);
    CHECK(stand_in.due() == start + 1s);
    CHECK(stand_in.tick(true, false, 1, start + 1s) == Command::start);
}

TEST_CASE("that there is no service is logged at once and then each minute", "[stand_in]") {
    StandIn stand_in;
    CHECK_FALSE(stand_in.is_to_be_logged(start));
    stand_in.tick(true, false, 1, start);
    stand_in.started(7, 1);
    CHECK(stand_in.is_to_be_logged(start));
    CHECK_FALSE(stand_in.is_to_be_logged(start + 59s));
    CHECK(stand_in.due() == start + 60s);
    CHECK(stand_in.is_to_be_logged(start + 60s));
    stand_in.tick(false, false, 1, start + 61s);
    CHECK_FALSE(stand_in.is_to_be_logged(start + 300s));
    stand_in.exited(start + 62s);
    stand_in.tick(true, false, 1, start + 63s);
    CHECK(stand_in.is_to_be_logged(start + 63s));
}

#include "server/supervision/scoreboard.hpp"

#include <poll.h>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

using Understudy = Scoreboard::Understudy;

bool rings(const Bell& bell) {
    pollfd entry{bell.fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

} // namespace

TEST_CASE("Scoreboard: what a worker is told waits in its slot, and its bell rings") {
    Scoreboard board(2);
    board.prepare(0, Understudy::none);
    board.prepare(1, Understudy::none);
    board.tell(1, WorkerOrder::retire);
    CHECK(rings(board.bell(1)));
    CHECK(board.slot(1).orders().waiting().contains(WorkerOrder::retire));
    CHECK_FALSE(rings(board.bell(0)));
    CHECK_FALSE(board.slot(0).orders().any());
}

TEST_CASE("Scoreboard: a new worker in a slot has a bell of its own, and nothing to do") {
    Scoreboard board(1);
    board.prepare(0, Understudy::none);
    board.tell(0, WorkerOrder::exit);
    board.vacate(0);
    CHECK(board.bell(0).fd() == -1);
    board.tell(0, WorkerOrder::exit); // nobody is there
    board.prepare(0, Understudy::none);
    CHECK_FALSE(rings(board.bell(0)));
    CHECK_FALSE(board.slot(0).orders().any());
}

TEST_CASE("Scoreboard: an understudy has a bell of its own, as long as its worker has one") {
    Scoreboard board(2);
    board.prepare(0, Understudy::wanted);
    board.prepare(1, Understudy::none);
    REQUIRE(board.understudy_bell(0).fd() >= 0);
    CHECK(board.understudy_bell(1).fd() == -1);
    board.understudy_bell(0).ring();
    CHECK_FALSE(rings(board.bell(0)));
    board.slot(0).set_understudy(17);
    board.vacate(0);
    CHECK(board.understudy_bell(0).fd() == -1);
    CHECK(board.slot(0).understudy() == 0);
    board.prepare(0, Understudy::wanted);
    CHECK_FALSE(rings(board.understudy_bell(0)));
}

TEST_CASE("Scoreboard: a request wakes the lookout if it sleeps, once") {
    Scoreboard board(1);
    const LookoutLink link = board.lookout_link();
    link.note_request();
    CHECK_FALSE(rings(board.lookout_bell()));
    board.lookout_sleeps() = true;
    link.note_request();
    CHECK(rings(board.lookout_bell()));
    CHECK_FALSE(board.lookout_sleeps());
    board.lookout_bell().silence();
    link.note_request();
    CHECK_FALSE(rings(board.lookout_bell()));
    LookoutLink().note_request(); // nobody is there
}

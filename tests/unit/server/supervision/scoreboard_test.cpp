#include "server/supervision/scoreboard.hpp"

#include <poll.h>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

bool rings(const Bell& bell) {
    pollfd entry{bell.fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

} // namespace

TEST_CASE("Scoreboard: what a worker is told waits in its slot, and its bell rings") {
    Scoreboard board(2);
    board.prepare(0);
    board.prepare(1);
    board.tell(1, WorkerOrder::retire);
    CHECK(rings(board.bell(1)));
    CHECK(board.slot(1).orders().waiting().contains(WorkerOrder::retire));
    CHECK_FALSE(rings(board.bell(0)));
    CHECK_FALSE(board.slot(0).orders().any());
}

TEST_CASE("Scoreboard: a new worker in a slot has a bell of its own, and nothing to do") {
    Scoreboard board(1);
    board.prepare(0);
    board.tell(0, WorkerOrder::exit);
    board.vacate(0);
    CHECK(board.bell(0).fd() == -1);
    board.tell(0, WorkerOrder::exit); // nobody is there
    board.prepare(0);
    CHECK_FALSE(rings(board.bell(0)));
    CHECK_FALSE(board.slot(0).orders().any());
}

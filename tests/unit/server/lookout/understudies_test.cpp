#include "server/lookout/understudies.hpp"

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

Understudies::Loss loss_of(int slot, pid_t understudy) {
    return {slot, 1000 + slot, understudy, 9};
}

} // namespace

TEST_CASE("Understudies: one that has died is replaced once") {
    Understudies understudies;
    const SteadyTime now{1h};
    CHECK(understudies.to_replace(now).empty());
    CHECK(understudies.due() == SteadyTime::max());
    understudies.lost(loss_of(3, 77));
    CHECK(understudies.due() <= now);
    const auto found = understudies.to_replace(now);
    REQUIRE(found.size() == 1);
    CHECK(found[0].slot == 3);
    CHECK(found[0].worker == 1003);
    CHECK(found[0].understudy == 77);
    CHECK(understudies.to_replace(now + 1h).empty());
}

TEST_CASE("Understudies: those of one worker are replaced once a second") {
    Understudies understudies;
    const SteadyTime now{1h};
    understudies.lost(loss_of(0, 77));
    CHECK(understudies.to_replace(now).size() == 1);
    understudies.lost(loss_of(0, 78));
    understudies.lost(loss_of(1, 79));
    CHECK(understudies.to_replace(now + 999ms).size() == 1); // another worker's
    CHECK(understudies.due() == now + 1s);
    CHECK(understudies.to_replace(now + 1s).size() == 1);
}

TEST_CASE("Understudies: of a worker that has ended as well, none is replaced") {
    Understudies understudies;
    const SteadyTime now{1h};
    understudies.lost(loss_of(0, 77));
    understudies.worker_ended(0, 77);
    CHECK(understudies.to_replace(now).empty());
    CHECK(understudies.left_behind().empty());
    // The slot's next worker does not pay for it.
    understudies.lost(loss_of(0, 78));
    CHECK(understudies.to_replace(now).size() == 1);
    understudies.worker_ended(0, 0);
    understudies.lost(loss_of(0, 79));
    CHECK(understudies.to_replace(now).size() == 1);
}

TEST_CASE("Understudies: what a worker leaves behind is known until it has ended") {
    Understudies understudies;
    understudies.worker_ended(0, 77);
    understudies.worker_ended(1, 0);   // it had none
    understudies.worker_ended(2, -14); // whatever has written that
    CHECK(understudies.left_behind() == std::set<pid_t>{77});
    understudies.exited(78);
    CHECK(understudies.left_behind() == std::set<pid_t>{77});
    understudies.exited(77);
    CHECK(understudies.left_behind().empty());
}

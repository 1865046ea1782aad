#include "server/lookout/rounds.hpp"

#include <map>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

using State = LookoutRounds::State;
using Slots = std::vector<int>;

// Workers as their slots show them, and a clock.
struct Service {
    LookoutRounds rounds;
    std::map<int, LookoutRounds::Sight> slots;
    SteadyTime now{1h};

    explicit Service(const Slots& with_understudies) {
        for (const int slot : with_understudies) rounds.add(slot);
        rounds.woken(now);
    }
    void begin(int slot) { slots[slot].busy = true; }
    void end(int slot) {
        slots[slot].busy = false;
        slots[slot].requests++;
    }
    Slots look() {
        return rounds.look(now, [this](int slot) { return slots[slot]; });
    }
    Slots look_after(SteadyClock::duration time) {
        now += time;
        return look();
    }
    // Nothing happens for so long that it is asleep.
    void fall_asleep() {
        for (int i = 0; i < 1000 && rounds.state() != State::asleep; ++i) look_after(LookoutRounds::pace);
        REQUIRE(rounds.state() == State::asleep);
    }
};

} // namespace

TEST_CASE("Lookout: a request that is seen at two looks gets its worker's understudy rung, once") {
    Service service({0, 1});
    service.begin(1);
    CHECK(service.look().empty());
    CHECK(service.look_after(3ms) == Slots{1});
    CHECK(service.look_after(3ms).empty());
    CHECK(service.look_after(3ms).empty());
    service.end(1);
    CHECK(service.look_after(3ms).empty());
    service.begin(1);
    CHECK(service.look_after(3ms).empty());
    CHECK(service.look_after(3ms) == Slots{1});
}

TEST_CASE("Lookout: short requests ring nobody, however many there are") {
    Service service({0});
    for (int i = 0; i < 100; ++i) {
        service.begin(0);
        CHECK(service.look_after(3ms).empty());
        service.end(0); // and the next one is under way when it looks again
    }
}

TEST_CASE("Lookout: while a request lasts, the understudy is rung again and again") {
    Service service({0});
    service.begin(0);
    service.look();
    int rung = 0;
    for (int i = 0; i < 1000; ++i) rung += static_cast<int>(service.look_after(1ms).size());
    CHECK(rung == 20);
}

TEST_CASE("Lookout: several workers are looked at each by itself") {
    Service service({0, 1, 2});
    service.begin(0);
    service.look();
    service.begin(2);
    CHECK(service.look_after(3ms) == Slots{0});
    CHECK(service.look_after(3ms) == Slots{2});
    service.begin(1);
    CHECK(service.look_after(3ms).empty());
    CHECK(service.look_after(3ms) == Slots{1});
}

TEST_CASE("Lookout: nobody looks at workers without an understudy") {
    Service service({0, 1});
    service.begin(0);
    service.look();
    service.rounds.remove(0);
    service.rounds.remove(7); // which it never had
    CHECK(service.look_after(3ms).empty());
    service.fall_asleep();
}

TEST_CASE("Lookout: what was seen of a slot's last worker is not held against the next one") {
    Service service({0});
    service.begin(0);
    service.look();
    service.rounds.add(0);
    CHECK(service.look_after(3ms).empty());
    CHECK(service.look_after(3ms) == Slots{0});
}

TEST_CASE("Lookout: when nothing has happened for a tenth of a second, it sleeps") {
    Service service({0, 1});
    service.look();
    CHECK(service.rounds.due() == service.now + 3ms);
    service.look_after(99ms);
    CHECK(service.rounds.state() == State::looking);
    service.look_after(1ms);
    CHECK(service.rounds.state() == State::dozing);
    CHECK(service.rounds.due() == service.now + 12ms);
    service.look_after(12ms);
    CHECK(service.rounds.state() == State::asleep);
    CHECK(service.rounds.due() == SteadyTime::max());
}

TEST_CASE("Lookout: where requests are short, it looks less often") {
    Service service({0, 1});
    const auto pass = [&](SteadyClock::duration time) {
        const SteadyTime end = service.now + time;
        while (service.now < end) {
            service.end(0); // some request
            service.look_after(service.rounds.due() - service.now);
        }
    };
    service.fall_asleep();
    service.rounds.woken(service.now);
    service.look();
    CHECK(service.rounds.due() == service.now + 3ms);
    pass(100ms);
    CHECK(service.rounds.due() == service.now + 12ms);
    // Whoever is busy is looked at again as soon as ever.
    service.begin(1);
    service.look_after(12ms);
    CHECK(service.rounds.due() == service.now + 3ms);
    CHECK(service.look_after(3ms) == Slots{1});
    service.end(1);
    service.look_after(3ms);
    CHECK(service.rounds.due() == service.now + 12ms); // it may have waited for a processor
    // One has taken its time: there will be others.
    service.begin(1);
    for (int i = 0; i < 4; ++i) service.look_after(3ms);
    service.end(1);
    service.look_after(3ms);
    CHECK(service.rounds.due() == service.now + 3ms);
    pass(9s);
    CHECK(service.rounds.due() == service.now + 3ms);
    pass(1s);
    CHECK(service.rounds.due() == service.now + 12ms);
}

TEST_CASE("Lookout: a request that was begun and ended between two looks keeps it awake, too") {
    Service service({0});
    service.look();
    service.look_after(99ms);
    service.begin(0);
    service.end(0);
    service.look_after(3ms);
    CHECK(service.rounds.state() == State::looking);
    service.look_after(99ms);
    CHECK(service.rounds.state() == State::looking);
    service.look_after(3ms);
    CHECK(service.rounds.state() == State::dozing);
}

TEST_CASE("Lookout: a long request keeps it awake") {
    Service service({0});
    service.begin(0);
    for (int i = 0; i < 1000; ++i) {
        service.look_after(3ms);
        REQUIRE(service.rounds.state() == State::looking);
    }
}

// A worker that had read the flag before it was set does not ring.
TEST_CASE("Lookout: what had begun when it set the flag is seen at one more look") {
    Service service({0});
    service.look();
    service.look_after(100ms);
    REQUIRE(service.rounds.state() == State::dozing);
    service.begin(0);
    CHECK(service.look_after(3ms).empty());
    CHECK(service.rounds.state() == State::looking);
    CHECK(service.look_after(3ms) == Slots{0});
}

TEST_CASE("Lookout: woken, it looks at once, and rings when the request has lasted") {
    Service service({0});
    service.fall_asleep();
    service.now += 1h;
    service.begin(0);
    service.rounds.woken(service.now);
    CHECK(service.rounds.due() == service.now);
    CHECK(service.look().empty());
    CHECK(service.rounds.due() == service.now + 3ms);
    CHECK(service.look_after(3ms) == Slots{0});
}

TEST_CASE("Lookout: woken while it dozes, it looks soon") {
    Service service({0});
    service.look();
    service.look_after(100ms);
    REQUIRE(service.rounds.state() == State::dozing);
    service.begin(0);
    service.now += 1ms;
    service.rounds.woken(service.now);
    CHECK(service.rounds.state() == State::looking);
    CHECK(service.rounds.due() == service.now + 3ms);
    service.look_after(3ms);
    service.look_after(99ms);
    CHECK(service.rounds.state() == State::looking);
}

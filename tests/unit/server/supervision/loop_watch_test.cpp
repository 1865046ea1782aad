#include "server/supervision/loop_watch.hpp"

#include <map>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

// Workers that are as the test says, and a clock of its own.
class Rehearsal {
  public:
    explicit Rehearsal(int workers) {
        for (int slot = 0; slot < workers; ++slot) {
            WorkerEntry entry;
            entry.slot = slot;
            entry.pid = 100 + slot;
            entry.state = WorkerState::serving;
            this->workers.push_back(entry);
        }
    }

    // Each worker that does not stand still answers what it is asked.
    std::vector<pid_t> look() {
        const auto found = watch.look(now, timeout, workers, [this](int slot) { return signs[slot]; });
        asked = found.to_ask;
        for (const int slot : asked) signs[slot].has_answered = !still[slot];
        return found.stands_still;
    }

    std::vector<pid_t> look_when_due() {
        now = watch.due();
        return look();
    }

    SteadyTime now{1h};
    Milliseconds timeout{30s};
    std::vector<WorkerEntry> workers;
    std::map<int, LoopWatch::Signs> signs; // by slot
    std::map<int, bool> still;
    std::vector<int> asked; // at the last look
    LoopWatch watch;
};

using Pids = std::vector<pid_t>;

} // namespace

TEST_CASE("LoopWatch: looks twice in a timeout, and asks each worker that serves no request") {
    Rehearsal master(3);
    master.signs[1].serves_request = true;
    CHECK(master.look().empty());
    CHECK(master.asked == std::vector<int>{0, 2});
    CHECK(master.watch.due() == master.now + 15s);
}

TEST_CASE("LoopWatch: a worker that does not answer stands still after a timeout, not before") {
    Rehearsal master(2);
    master.look();
    const SteadyTime began = master.now;
    master.still[1] = true;
    master.signs[1].has_answered = false; // it was asked, and has not answered
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{101});
    CHECK(master.now == began + 30s);
    CHECK(master.asked == std::vector<int>{0});
}

TEST_CASE("LoopWatch: one that answers, serves or has served does not stand still") {
    Rehearsal master(1);
    auto& signs = master.signs[0];
    signs.has_answered = true;
    master.look();
    for (int i = 0; i < 10; ++i) {
        signs.has_answered = false;
        CHECK(master.look_when_due() == Pids{}); // missed once
        SECTION("answers at last") {
            signs.has_answered = true;
        }
        SECTION("serves a request, which has its own deadline") {
            signs.serves_request = true;
        }
        SECTION("has served one meanwhile, and another connection in the same turn keeps it") {
            signs.requests++;
        }
        CHECK(master.look_when_due() == Pids{});
        signs.serves_request = false;
    }
}

TEST_CASE("LoopWatch: only those that serve are looked at") {
    const auto state = GENERATE(WorkerState::starting, WorkerState::retiring, WorkerState::overdue);
    Rehearsal master(1);
    master.still[0] = true;
    master.workers[0].state = state;
    for (int i = 0; i < 5; ++i) {
        CHECK(master.look_when_due() == Pids{});
        CHECK(master.asked.empty());
    }
    // What it did before it served does not count.
    master.workers[0].state = WorkerState::serving;
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{100});
}

TEST_CASE("LoopWatch: a new worker in the slot of one that stood still has missed nothing") {
    Rehearsal master(1);
    master.still[0] = true;
    master.look();
    CHECK(master.look_when_due() == Pids{});
    master.workers[0].pid = 200;
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{200});
}

TEST_CASE("LoopWatch: after a suspension of the master, nobody has missed anything") {
    Rehearsal master(1);
    master.still[0] = true;
    master.look();
    master.look_when_due();
    master.now += 1h;
    master.watch.restart();
    CHECK(master.look() == Pids{});
    CHECK(master.look_when_due() == Pids{});
    CHECK(master.look_when_due() == Pids{100});
}

TEST_CASE("LoopWatch: a suspension that nobody has noticed is one look that was missed") {
    Rehearsal master(1);
    master.look();
    master.signs[0].has_answered = false;
    master.now += 1h;
    CHECK(master.look() == Pids{});
    master.signs[0].has_answered = true;
    CHECK(master.look_when_due() == Pids{});
}

TEST_CASE("LoopWatch: a short timeout does not end workers that a busy machine keeps waiting") {
    Rehearsal master(1);
    master.timeout = 10ms;
    master.look();
    CHECK(master.watch.due() == master.now + 500ms);
}

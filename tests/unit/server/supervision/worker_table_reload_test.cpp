#include <csignal>
#include <string>

#include "server/supervision/worker_table.hpp"
#include "tests/catch.hpp"
#include "tests/unit/server/supervision/rehearsal.hpp"

using namespace rehearsal;

TEST_CASE("WorkerTable: a reload retires an old worker for each new one that is ready") {
    Rehearsal master(3);
    master.serve();
    master.table.begin_generation(2);
    CHECK(master.tick().spawns.size() == 3);
    CHECK(master.count(WorkerState::serving) == 3);
    CHECK_FALSE(master.table.settled());
    master.table.ready(master.pids(WorkerState::starting).front(), master.now);
    CHECK(master.table.settled());
    CHECK(signals_of(master.tick()) == Signals{SIGTERM});
    CHECK(master.count(WorkerState::serving) == 3);
    master.all_ready();
    CHECK(signals_of(master.tick()) == Signals{SIGTERM, SIGTERM});
    CHECK(master.count(WorkerState::serving) == 3);
    CHECK(master.count(WorkerState::retiring) == 3);
}

TEST_CASE("WorkerTable: with a surge, a reload never has more workers than that above the usual number") {
    Rehearsal master(4);
    master.table.set_policy({10s, 5s, 1});
    master.serve();
    master.table.begin_generation(2);
    for (int replaced = 0; replaced < 4; ++replaced) {
        CHECK(master.tick().spawns.size() == 1);
        CHECK(master.tick().spawns.empty());
        CHECK(master.count(WorkerState::serving) == 4);
        master.all_ready();
        CHECK(signals_of(master.tick()) == Signals{SIGTERM});
        const auto leaving = master.pids(WorkerState::retiring);
        REQUIRE(leaving.size() == 1);
        // The one that is retiring still takes memory; the next comes when it is gone.
        CHECK(master.tick().spawns.empty());
        master.table.exited(leaving.front(), true, master.now);
    }
    CHECK(master.tick().spawns.empty());
    CHECK(master.count(WorkerState::serving) == 4);
    CHECK(master.table.entries().size() == 4);
}

TEST_CASE("WorkerTable: a reload to fewer workers gets under way whatever the surge") {
    Rehearsal master(6);
    master.table.set_policy({10s, 5s, 1});
    master.serve();
    master.table.begin_generation(2);
    master.table.want(3);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM, SIGTERM, SIGTERM});
    for (const pid_t pid : master.pids(WorkerState::retiring)) master.table.exited(pid, true, master.now);
    CHECK(master.tick().spawns.size() == 1);
}

TEST_CASE("WorkerTable: a crash during a surge is made up for") {
    Rehearsal master(2);
    master.table.set_policy({10s, 5s, 1});
    master.serve();
    master.table.begin_generation(2);
    master.tick();
    master.table.exited(master.pids(WorkerState::serving).front(), true, master.now);
    CHECK(master.tick().spawns.size() == 1);
}

TEST_CASE("WorkerTable: none wanted, all retire and none is spawned, until some are wanted again") {
    Rehearsal master(2);
    master.serve();
    master.table.wants_replacement(master.pids(WorkerState::serving).front());
    master.table.want(0);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM, SIGTERM});
    for (const pid_t pid : master.pids(WorkerState::retiring)) master.table.exited(pid, true, master.now);
    CHECK(master.tick().spawns.empty());
    CHECK_FALSE(master.table.hopeless());
    master.table.want(2);
    CHECK(master.tick().spawns.size() == 2);
}

TEST_CASE("WorkerTable: an old worker that dies during a reload is not replaced by an old one") {
    Rehearsal master(2);
    master.serve();
    master.table.begin_generation(2);
    master.tick();
    master.table.exited(100, true, master.now);
    CHECK(master.tick().spawns.empty());
}

TEST_CASE("WorkerTable: a reload that cannot start is rolled back and the old ones count again") {
    Rehearsal master(2);
    master.serve();
    master.table.begin_generation(2);
    for (int round = 0; round < WorkerTable::max_failed_rounds; ++round) {
        master.tick();
        for (const pid_t pid : master.pids(WorkerState::starting)) master.table.exited(pid, false, master.now);
        master.pass(5s);
    }
    CHECK(master.table.hopeless());
    CHECK(master.count(WorkerState::serving) == 2);
    master.table.roll_back();
    CHECK_FALSE(master.table.hopeless());
    const auto commands = master.tick();
    CHECK(commands.signals.empty());
    CHECK(commands.spawns.empty());
    master.table.exited(100, true, master.now);
    CHECK(master.tick().spawns.size() == 1);
}

TEST_CASE("WorkerTable: after a roll-back over several reloads the last good generation is the current one") {
    Rehearsal master(1);
    master.serve();
    master.table.begin_generation(2);
    master.tick();
    master.table.begin_generation(3);
    master.table.roll_back();
    CHECK(master.tick().spawns.empty());
    CHECK(master.table.settled());
}

TEST_CASE("WorkerTable: replacements are ready before those who asked go, one at a time") {
    Rehearsal master(4);
    master.serve();
    for (pid_t pid = 100; pid < 104; ++pid) master.table.wants_replacement(pid);
    for (int done = 0; done < 4; ++done) {
        const auto commands = master.tick();
        CHECK(commands.spawns.size() == 1);
        CHECK(commands.signals.empty());
        CHECK(master.count(WorkerState::serving) == 4);
        master.all_ready();
        const auto after = master.table.tick(master.now, [](int) { return std::nullopt; });
        REQUIRE(after.signals.size() == 1);
        CHECK(after.signals[0].signal == SIGTERM);
        CHECK(after.signals[0].pid < 104);
        CHECK(master.count(WorkerState::serving) == 4);
        CHECK(after.spawns.empty()); // the next one's turn comes when this one is gone
        master.table.exited(after.signals[0].pid, true, master.now);
    }
    CHECK(master.tick().spawns.empty());
}

#include "server/supervision/worker_table.hpp"

#include <csignal>
#include <string>

#include "tests/catch.hpp"
#include "tests/unit/server/supervision/rehearsal.hpp"

using namespace rehearsal;

TEST_CASE("WorkerTable: spawns as many as are wanted, into the lowest free slots") {
    Rehearsal master(3);
    CHECK(master.tick().spawns == std::vector<int>{0, 1, 2});
    CHECK(master.tick().spawns.empty());
    master.all_ready();
    CHECK(master.count(WorkerState::serving) == 3);
    master.table.exited(101, true, master.now);
    CHECK(master.tick().spawns == std::vector<int>{1});
}

TEST_CASE("WorkerTable: never more than the capacity") {
    Rehearsal master(5, 3);
    CHECK(master.tick().spawns.size() == 3);
    master.all_ready();
    CHECK_FALSE(master.next_tick().has_value());
}

TEST_CASE("WorkerTable: a worker that dies after serving is replaced at once") {
    Rehearsal master(2);
    master.serve();
    for (int i = 0; i < 20; ++i) {
        const auto pid = master.pids(WorkerState::serving).front();
        master.table.exited(pid, true, master.now);
        CHECK(master.tick().spawns.size() == 1);
        master.all_ready();
    }
}

TEST_CASE("WorkerTable: starts that fail are retried with growing pauses") {
    Rehearsal master(1);
    master.serve(); // one has been ready: it never gives up
    pid_t pid = master.pids(WorkerState::serving).front();
    std::vector<std::chrono::milliseconds> pauses;
    for (int i = 0; i < 8; ++i) {
        master.table.exited(pid, false, master.now);
        CHECK(master.tick().spawns.empty());
        const auto next = master.next_tick();
        REQUIRE(next.has_value());
        pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(*next - master.now));
        master.now = *next;
        CHECK(master.tick().spawns.size() == 1);
        pid = master.pids(WorkerState::starting).front();
    }
    CHECK(pauses == std::vector<std::chrono::milliseconds>{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s});
    CHECK_FALSE(master.table.hopeless());
}

TEST_CASE("WorkerTable: a worker that cannot start does not hold up the replacement of another") {
    Rehearsal master(3);
    master.serve();
    master.pass(10s);
    const auto serving = master.pids(WorkerState::serving);
    master.table.exited(serving[0], true, master.now);
    for (int round = 0; round < 3; ++round) {
        REQUIRE(master.tick().spawns.size() == 1);
        master.pass(1ms);
        master.table.exited(master.pids(WorkerState::starting).front(), false, master.now);
        CHECK(master.tick().spawns.empty());
        if (round < 2) master.pass(10s);
    }
    master.table.exited(serving[1], true, master.now);
    CHECK(master.tick().spawns.size() == 1);
}

TEST_CASE("WorkerTable: while there is nothing to start workers from, none is missed") {
    Rehearsal master(2);
    master.serve();
    master.table.let_spawn(false);
    CHECK_FALSE(master.table.cannot_serve());
    for (const pid_t pid : master.pids(WorkerState::serving)) {
        master.table.exited(pid, true, master.now);
        CHECK(master.tick().spawns.empty());
        CHECK_FALSE(master.next_tick().has_value());
    }
    CHECK(master.table.cannot_serve()); // at once: a stand-in does not wait
    master.table.let_spawn(true);
    CHECK_FALSE(master.table.cannot_serve());
    CHECK(master.next_tick() == master.now);
    CHECK(master.tick().spawns.size() == 2);
}

TEST_CASE("WorkerTable: the pauses begin anew once a worker has been stable") {
    Rehearsal master(1);
    master.tick();
    master.table.exited(100, false, master.now);
    master.pass(100ms);
    master.serve();
    master.pass(1s);
    master.tick();
    master.table.exited(101, false, master.now); // more than a second after it was ready: an ordinary death
    CHECK(master.tick().spawns.size() == 1);
}

TEST_CASE("WorkerTable: workers that fail together are one round") {
    Rehearsal master(4);
    master.tick();
    for (pid_t pid = 100; pid < 104; ++pid) master.table.exited(pid, false, master.now);
    CHECK_FALSE(master.table.hopeless());
    master.pass(100ms);
    CHECK(master.tick().spawns.size() == 4);
}

TEST_CASE("WorkerTable: it cannot serve once a start has failed and nobody serves") {
    Rehearsal master(2);
    CHECK_FALSE(master.table.cannot_serve());
    master.tick();
    CHECK_FALSE(master.table.cannot_serve()); // they may be ready any moment
    master.all_ready();
    master.pass(2s);
    master.table.exited(100, true, master.now);
    master.table.exited(101, true, master.now);
    master.tick();
    CHECK_FALSE(master.table.cannot_serve()); // the same
    master.table.exited(102, false, master.now);
    CHECK(master.table.cannot_serve());

    SECTION("until a worker is ready") {
        master.table.ready(103, master.now);
        CHECK_FALSE(master.table.cannot_serve());
        master.pass(2s);
        master.table.exited(103, true, master.now);
        CHECK_FALSE(master.table.cannot_serve()); // no start has failed since
    }
    SECTION("and after a second one that dies as soon as it is ready") {
        master.pass(1s);
        master.tick();
        master.table.ready(104, master.now);
        CHECK_FALSE(master.table.cannot_serve());
        master.table.exited(104, false, master.now);
        CHECK(master.table.cannot_serve()); // the second round
    }
    SECTION("through a reload and its end") {
        master.table.begin_generation(2);
        CHECK(master.table.cannot_serve());
        master.table.roll_back();
        CHECK(master.table.cannot_serve());
    }
    SECTION("not when none are wanted") {
        master.table.want(0);
        CHECK_FALSE(master.table.cannot_serve());
    }
    SECTION("not when it stops") {
        master.table.stop(StopKind::graceful, master.now);
        CHECK_FALSE(master.table.cannot_serve());
    }
}

TEST_CASE("WorkerTable: a single worker that was ready and died at once is no reason to send clients away") {
    Rehearsal master(1);
    master.serve();
    master.table.exited(100, false, master.now);
    CHECK_FALSE(master.table.cannot_serve());
}

TEST_CASE("WorkerTable: gives up after four rounds if none was ever ready") {
    Rehearsal master(2);
    for (int round = 0; round < WorkerTable::max_failed_rounds; ++round) {
        CHECK_FALSE(master.table.hopeless());
        master.tick();
        for (const pid_t pid : master.pids(WorkerState::starting)) master.table.exited(pid, false, master.now);
        master.pass(5s);
    }
    CHECK(master.table.hopeless());
    CHECK(master.tick().spawns.empty());
}

TEST_CASE("WorkerTable: a failing worker among others does not make it give up") {
    Rehearsal master(2);
    master.tick();
    master.table.ready(100, master.now);
    for (int round = 0; round < 10; ++round) {
        for (const pid_t pid : master.pids(WorkerState::starting)) master.table.exited(pid, false, master.now);
        master.pass(5s);
        master.tick();
    }
    CHECK_FALSE(master.table.hopeless());
}

TEST_CASE("WorkerTable: fewer wanted, the oldest serving one retires") {
    Rehearsal master(1);
    master.serve();
    master.table.want(2);
    master.pass(1s);
    master.serve();
    master.table.want(1);
    const auto commands = master.tick();
    REQUIRE(commands.signals.size() == 1);
    CHECK(commands.signals[0].pid == 100);
    CHECK(commands.signals[0].signal == SIGTERM);
    CHECK(master.tick().signals.empty());
    master.table.exited(100, true, master.now);
    CHECK(master.tick().spawns.empty());
}

TEST_CASE("WorkerTable: events about unknown pids are ignored") {
    Rehearsal master(1);
    master.serve();
    CHECK_FALSE(master.table.exited(4711, false, master.now).has_value());
    master.table.ready(4711, master.now);
    master.table.wants_replacement(4711);
    const auto commands = master.tick();
    CHECK(commands.signals.empty());
    CHECK(commands.spawns.empty());
}

TEST_CASE("WorkerTable: a slot or pid cannot be taken twice") {
    Rehearsal master(1);
    master.tick();
    CHECK_THROWS_AS(master.table.spawned(0, 4711, master.now), std::logic_error);
    CHECK_THROWS_AS(master.table.spawned(1, 100, master.now), std::logic_error);
}

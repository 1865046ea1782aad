#include <csignal>
#include <string>

#include "server/supervision/worker_table.hpp"
#include "tests/catch.hpp"
#include "tests/unit/server/supervision/rehearsal.hpp"

using namespace rehearsal;

TEST_CASE("WorkerTable: an overdue request gets ABRT, then KILL each second") {
    Rehearsal master(1);
    master.serve();
    master.requests[0] = master.now + 3s;
    CHECK(master.tick().signals.empty());
    CHECK(master.next_tick() == master.now + 3s);
    master.pass(3s);
    CHECK(signals_of(master.tick()) == Signals{SIGABRT});
    CHECK(master.count(WorkerState::overdue) == 1);
    CHECK(signals_of(master.tick()).empty());
    master.pass(999ms);
    CHECK(signals_of(master.tick()).empty());
    master.pass(1ms);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
    master.pass(1s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
    const auto entry = master.table.exited(100, true, master.now);
    REQUIRE(entry.has_value());
    CHECK(entry->killed);
    CHECK(entry->state == WorkerState::overdue);
}

TEST_CASE("WorkerTable: an overdue worker is replaced while it is being ended") {
    Rehearsal master(1);
    master.serve();
    master.requests[0] = master.now;
    const auto commands = master.tick();
    CHECK(signals_of(commands) == Signals{SIGABRT});
    CHECK(commands.spawns == std::vector<int>{1});
}

TEST_CASE("WorkerTable: a deadline that is moved to later is no longer overdue") {
    Rehearsal master(1);
    master.serve();
    master.requests[0] = master.now + 1s;
    master.pass(900ms);
    master.requests[0] = master.now + 10s;
    master.pass(5s);
    CHECK(master.tick().signals.empty());
}

TEST_CASE("WorkerTable: a worker that hangs while it starts is overdue after the boot timeout") {
    Rehearsal master(1);
    master.tick();
    CHECK(master.next_tick() == master.now + 10s);
    master.pass(10s);
    CHECK(signals_of(master.tick()) == Signals{SIGABRT});
    CHECK(master.count(WorkerState::overdue) == 1);
    master.table.ready(100, master.now); // too late
    CHECK(master.count(WorkerState::overdue) == 1);
}

TEST_CASE("WorkerTable: boot timeout 0 is none") {
    Rehearsal master(1);
    master.table.set_policy({0s, 5s});
    master.tick();
    master.pass(24h);
    CHECK(master.tick().signals.empty());
}

TEST_CASE("WorkerTable: a retiring worker is killed when its grace is over, not before") {
    Rehearsal master(1);
    master.serve();
    master.table.want(0);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM});
    master.pass(4999ms);
    CHECK(master.tick().signals.empty());
    master.pass(1ms);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
}

TEST_CASE("WorkerTable: a retiring worker's overdue request is ended by its own deadline") {
    Rehearsal master(1);
    master.serve();
    master.requests[0] = master.now + 1s;
    master.table.want(0);
    master.tick();
    master.pass(1s);
    CHECK(signals_of(master.tick()) == Signals{SIGABRT});
}

TEST_CASE("WorkerTable: graceful stop sends TERM to all and spawns none") {
    Rehearsal master(2);
    master.serve();
    master.table.stop(StopKind::graceful, master.now);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM, SIGTERM});
    master.table.exited(100, true, master.now);
    CHECK(master.tick().spawns.empty());
    CHECK_FALSE(master.table.empty());
    master.pass(5s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
    master.table.exited(101, true, master.now);
    CHECK(master.table.empty());
    CHECK_FALSE(master.next_tick().has_value());
}

TEST_CASE("WorkerTable: a second graceful stop changes nothing, a quick one hurries") {
    Rehearsal master(1);
    master.serve();
    master.table.stop(StopKind::graceful, master.now);
    master.tick();
    master.pass(4s);
    master.table.stop(StopKind::graceful, master.now);
    CHECK(master.tick().signals.empty());
    CHECK(master.next_tick() == master.now + 1s);
    master.table.stop(StopKind::quick, master.now);
    CHECK(signals_of(master.tick()) == Signals{SIGQUIT});
    master.table.stop(StopKind::graceful, master.now);
    master.pass(1s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
}

TEST_CASE("WorkerTable: a stop reaches workers that are starting") {
    Rehearsal master(2);
    master.tick();
    master.table.stop(StopKind::quick, master.now);
    CHECK(signals_of(master.tick()) == Signals{SIGQUIT, SIGQUIT});
}

TEST_CASE("WorkerTable: a pause of the master's makes nobody late") {
    Rehearsal master(2);
    master.tick();
    master.pass(9s);
    master.table.ready(100, master.now);
    master.pass(1h);
    master.table.postpone(1h);
    CHECK(master.tick().signals.empty());
    master.pass(1s);
    const auto commands = master.tick();
    REQUIRE(commands.signals.size() == 1);
    CHECK(commands.signals[0].pid == 101);
    CHECK(commands.signals[0].signal == SIGABRT);
}

TEST_CASE("WorkerTable: between two KILLs to a worker that does not die there is a second") {
    Rehearsal master(1);
    master.serve();
    master.requests[0] = master.now;
    CHECK(signals_of(master.tick()) == Signals{SIGABRT});
    master.pass(1s);
    for (int i = 0; i < 3; ++i) {
        CHECK(signals_of(master.tick()) == Signals{SIGKILL});
        CHECK(signals_of(master.tick()).empty()); // the master wakes up for other things, too
        CHECK(master.next_tick() == master.now + 1s);
        master.pass(999ms);
        CHECK(signals_of(master.tick()).empty());
        master.pass(1ms);
    }
}

TEST_CASE("WorkerTable: the same at the end of a retiring worker's grace") {
    Rehearsal master(1);
    master.serve();
    master.table.want(0);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM});
    master.pass(5s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
    master.pass(999ms);
    CHECK(signals_of(master.tick()).empty());
    master.pass(1ms);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
}

TEST_CASE("WorkerTable: a pause of the master's right after it was told to stop takes nothing of the grace") {
    Rehearsal master(2);
    master.serve();
    master.table.stop(StopKind::graceful, master.now);
    master.pass(1h);
    master.table.postpone(1h);
    CHECK(signals_of(master.tick()) == Signals{SIGTERM, SIGTERM});
    master.pass(5s - 1ms);
    CHECK(signals_of(master.tick()).empty());
    master.pass(1ms);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL, SIGKILL});
}

TEST_CASE("WorkerTable: a worker that stands still outside of a request is aborted, and replaced at once") {
    Rehearsal master(2);
    master.serve();
    const pid_t pid = master.pids(WorkerState::serving).front();
    master.table.stands_still(pid);
    const auto commands = master.tick();
    REQUIRE(signals_of(commands) == Signals{SIGABRT});
    CHECK(commands.signals[0].pid == pid);
    CHECK(std::string(commands.signals[0].reason) == ": its loop stands still, outside of a request");
    CHECK(commands.spawns.size() == 1);
    CHECK(master.tick().signals.empty());
    master.pass(1s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
}

TEST_CASE("WorkerTable: a worker that was found standing still and serves a request has until the request's deadline") {
    Rehearsal master(1);
    master.serve();
    master.table.stands_still(100);
    master.requests[0] = master.now + 5s;
    CHECK(master.tick().signals.empty());
    master.requests.clear();
    CHECK(master.tick().signals.empty());
}

TEST_CASE("WorkerTable: workers that start, retire or are overdue do not stand still, but have their time") {
    Rehearsal master(1);
    master.tick();
    master.table.stands_still(100);
    CHECK(master.tick().signals.empty());
    master.all_ready();
    master.table.stop(StopKind::graceful, master.now);
    master.tick();
    master.table.stands_still(100);
    CHECK(master.tick().signals.empty());
    master.pass(5s);
    CHECK(signals_of(master.tick()) == Signals{SIGKILL});
}

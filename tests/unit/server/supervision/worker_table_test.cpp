#include "server/supervision/worker_table.hpp"

#include <csignal>
#include <map>
#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

// A master without processes: carries out what the table asks for, under a clock of its own.
class Rehearsal {
  public:
    explicit Rehearsal(int workers, int capacity = 32) : table(capacity) {
        table.set_policy({10s, 5s});
        table.want(workers);
    }

    WorkerCommands tick() {
        WorkerCommands commands = table.tick(now, [this](int slot) { return deadline_of(slot); });
        for (const int slot : commands.spawns) table.spawned(slot, next_pid++, now);
        return commands;
    }

    void pass(std::chrono::milliseconds time) { now += time; }

    std::optional<SteadyTime> next_tick() const {
        return table.next_tick(now, [this](int slot) { return deadline_of(slot); });
    }

    std::vector<pid_t> pids(WorkerState state) const {
        std::vector<pid_t> result;
        for (const auto& entry : table.entries()) {
            if (entry.state == state) result.push_back(entry.pid);
        }
        return result;
    }

    int count(WorkerState state) const { return static_cast<int>(pids(state).size()); }

    void all_ready() {
        for (const pid_t pid : pids(WorkerState::starting)) table.ready(pid, now);
    }

    void serve() {
        tick();
        all_ready();
        tick();
    }

    std::optional<SteadyTime> deadline_of(int slot) const {
        const auto it = requests.find(slot);
        return it == requests.end() ? std::nullopt : std::optional(it->second);
    }

    SteadyTime now{1h};
    std::map<int, SteadyTime> requests; // slot -> deadline
    WorkerTable table;
    pid_t next_pid = 100;
};

std::vector<int> signals_of(const WorkerCommands& commands) {
    std::vector<int> result;
    for (const auto& command : commands.signals) result.push_back(command.signal);
    return result;
}

using Signals = std::vector<int>;

} // namespace

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

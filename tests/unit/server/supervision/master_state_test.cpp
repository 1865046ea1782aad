#include "server/supervision/master_state.hpp"

#include <map>
#include <stdexcept>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

TEST_CASE("MasterState: what each signal does in each state") {
    // Printed by: unit_tests "MasterState: what each signal does in each state" -s
    const std::string table =
        "                  loading           serving           retired           delaying          stopping\n"
        "ttin              ignored           add workers       add workers       ignored           ignored\n"
        "ttou              ignored           remove workers    ignored           ignored           ignored\n"
        "usr1              reopen logs       reopen logs       reopen logs       reopen logs       reopen logs\n"
        "usr2              refused           upgrade           upgrade           refused           refused\n"
        "winch             ignored           retire workers    ignored           ignored           ignored\n"
        "hup               reload            reload            reload            ignored           ignored\n"
        "term              stop gracefully   delay, then stop  stop gracefully   ignored           ignored\n"
        "int               stop quickly      stop quickly      stop quickly      stop quickly      stop quickly\n"
        "quit              stop quickly      stop quickly      stop quickly      stop quickly      stop quickly\n";
    CHECK(master_table_text() == table);
}

TEST_CASE("MasterState: the state after each signal in each state") {
    using enum MasterState;
    struct Row {
        int signal;
        std::array<MasterState, 5> after; // loading, serving, retired, delaying, stopping
    };
    const auto row = GENERATE(values<Row>({
        {SIGTTIN, {loading, serving, serving, delaying, stopping}},
        {SIGTTOU, {loading, serving, retired, delaying, stopping}},
        {SIGUSR1, {loading, serving, retired, delaying, stopping}},
        {SIGUSR2, {loading, serving, retired, delaying, stopping}},
        {SIGWINCH, {loading, retired, retired, delaying, stopping}},
        {SIGHUP, {loading, serving, serving, delaying, stopping}},
        {SIGTERM, {stopping, delaying, stopping, delaying, stopping}},
        {SIGINT, {stopping, stopping, stopping, stopping, stopping}},
        {SIGQUIT, {stopping, stopping, stopping, stopping, stopping}},
    }));
    for (const MasterState state : all_master_states) {
        INFO(master_signal(row.signal).name << " while " << to_string(state));
        CHECK(next_state(state, react(state, row.signal).action) == row.after[static_cast<std::size_t>(state)]);
    }
}

TEST_CASE("MasterState: what does nothing says why") {
    CHECK(std::string(react(MasterState::loading, SIGTTIN).reason) == "the server has not started yet");
    CHECK(std::string(react(MasterState::retired, SIGTTOU).reason) == "the workers have retired");
    CHECK(std::string(react(MasterState::delaying, SIGHUP).reason) == "the server is about to stop");
    CHECK(std::string(react(MasterState::stopping, SIGTTIN).reason) == "the server is stopping");
    CHECK(std::string(react(MasterState::serving, SIGTTIN).reason).empty());
}

TEST_CASE("MasterState: a table with a gap is not whole") {
    auto rows = master_signals;
    CHECK(is_whole(rows));
    rows[0].reactions[4] = {MasterAction::ignore, ""};
    CHECK_FALSE(is_whole(rows));
    rows = master_signals;
    rows[0].signal = SIGHUP;
    CHECK_FALSE(is_whole(rows));
}

TEST_CASE("MasterState: signals that end the service are handled last") {
    std::map<int, std::size_t> position;
    for (std::size_t i = 0; i < master_signals.size(); ++i) position[master_signals[i].signal] = i;
    for (const int last : {SIGTERM, SIGINT, SIGQUIT}) {
        for (const int other : {SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH, SIGHUP}) {
            CHECK(position[other] < position[last]);
        }
    }
}

TEST_CASE("MasterState: a signal without a row is a mistake of ours") {
    CHECK_THROWS_AS(react(MasterState::serving, SIGSEGV), std::logic_error);
}

TEST_CASE("MasterLife: loads, serves, retires, is called back") {
    MasterLife life(0);
    CHECK(life.is(MasterState::loading));
    life.loaded();
    CHECK(life.is(MasterState::serving));
    life.signalled(SIGWINCH, false);
    CHECK(life.is(MasterState::retired));
    life.loaded(); // a reload that was under way
    CHECK(life.is(MasterState::retired));
    CHECK(life.call_back());
    CHECK(life.is(MasterState::serving));
    CHECK_FALSE(life.call_back());
}

TEST_CASE("MasterLife: TERM stops at once where there is nothing to delay for") {
    MasterLife life(0);
    life.loaded();
    CHECK(life.signalled(SIGTERM, false).action == MasterAction::stop_gracefully);
    CHECK(life.stopping());
    CHECK(life.ending());
}

TEST_CASE("MasterLife: TERM begins the delay; INT cuts it short") {
    MasterLife life(0);
    life.loaded();
    CHECK(life.signalled(SIGTERM, true).action == MasterAction::delay_stop);
    life.delay_until(SteadyTime(1h));
    CHECK(life.is(MasterState::delaying));
    CHECK(life.ending());
    CHECK_FALSE(life.stopping());
    CHECK(life.signalled(SIGTERM, true).action == MasterAction::ignore);
    CHECK(life.stop_at() == SteadyTime(1h));
    CHECK_FALSE(life.call_back());
    CHECK(life.signalled(SIGINT, true).action == MasterAction::stop_quickly);
    CHECK(life.stopping());
    CHECK(life.stop_at() == SteadyTime::max());
}

TEST_CASE("MasterLife: the end of the delay is a stop") {
    MasterLife life(0);
    life.loaded();
    life.signalled(SIGTERM, true);
    life.delay_until(SteadyTime(1h));
    life.stop();
    CHECK(life.stopping());
    CHECK(life.stop_at() == SteadyTime::max());
}

TEST_CASE("MasterLife: ends with the code of what went wrong") {
    MasterLife life(0);
    CHECK(life.exit_code() == 0);
    life.fail(4);
    life.stop();
    CHECK(life.exit_code() == 4);
}

// The master's own life, and what each signal does to it. Pure: no system call is made and the time is an argument. The
// arbiter asks for the action and carries it out.
//
//   loading ---- the app has been loaded once ----> serving <---- HUP, TTIN ----> retired (WINCH)
//   serving ---- TERM, with --shutdown-delay ----> delaying ---- the delay is over ----> stopping
//   any ---- TERM, INT, QUIT, or it gives up ----> stopping
#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/signals.hpp"

namespace cppcorn {

enum class MasterState {
    loading,  // no app could be loaded yet
    serving,  // workers are wanted
    retired,  // no workers are wanted, until somebody asks for some
    delaying, // it serves, and will stop when --shutdown-delay is over
    stopping, // it waits for the workers' end
};

enum class MasterAction {
    stop_gracefully,
    delay_stop, // where --shutdown-delay is set and a worker serves; else as stop_gracefully
    stop_quickly,
    reload,
    add_workers,
    remove_workers,
    reopen_logs,
    upgrade,
    retire_workers,
    ignore, // which is logged, with the reason
    refuse, // the same, as a warning
};

struct MasterReaction {
    MasterAction action = MasterAction::ignore;
    const char* reason = ""; // why it is ignored or refused
};

inline constexpr std::array all_master_states{MasterState::loading, MasterState::serving, MasterState::retired,
                                              MasterState::delaying, MasterState::stopping};

struct MasterSignalRow {
    int signal;
    const char* name;                                               // as it is logged: "term"
    std::array<MasterReaction, all_master_states.size()> reactions; // by state
};

namespace master_table {

using enum MasterAction;

inline constexpr MasterReaction not_started{ignore, "the server has not started yet"};
inline constexpr MasterReaction about_to_stop{ignore, "the server is about to stop"};
inline constexpr MasterReaction is_stopping{ignore, "the server is stopping"};
inline constexpr MasterReaction no_workers{ignore, "the workers have retired"};
inline constexpr MasterReaction no_upgrade{refuse, "the server is about to stop, or has not started yet"};

} // namespace master_table

// In the order in which signals are handled that arrive together: those that end the service come last.
inline constexpr auto master_signals = [] {
    using namespace master_table;
    // clang-format off
    return std::array{
        //                                  loading            serving           retired            delaying          stopping
        MasterSignalRow{SIGTTIN, "ttin",   {{not_started,      {add_workers},    {add_workers},     about_to_stop,    is_stopping}}},
        MasterSignalRow{SIGTTOU, "ttou",   {{not_started,      {remove_workers}, no_workers,        about_to_stop,    is_stopping}}},
        MasterSignalRow{SIGUSR1, "usr1",   {{{reopen_logs},    {reopen_logs},    {reopen_logs},     {reopen_logs},    {reopen_logs}}}},
        MasterSignalRow{SIGUSR2, "usr2",   {{no_upgrade,       {upgrade},        {upgrade},         no_upgrade,       no_upgrade}}},
        MasterSignalRow{SIGWINCH, "winch", {{not_started,      {retire_workers}, no_workers,        about_to_stop,    is_stopping}}},
        MasterSignalRow{SIGHUP, "hup",     {{{reload},         {reload},         {reload},          about_to_stop,    is_stopping}}},
        MasterSignalRow{SIGTERM, "term",   {{{stop_gracefully}, {delay_stop},    {stop_gracefully}, about_to_stop,    is_stopping}}},
        MasterSignalRow{SIGINT, "int",     {{{stop_quickly},   {stop_quickly},   {stop_quickly},    {stop_quickly},   {stop_quickly}}}},
        MasterSignalRow{SIGQUIT, "quit",   {{{stop_quickly},   {stop_quickly},   {stop_quickly},    {stop_quickly},   {stop_quickly}}}},
    };
    // clang-format on
}();

// Each signal that the master handles (base/signals.hpp) has one row, and whatever does nothing says why.
constexpr bool is_whole(const decltype(master_signals)& rows) {
    std::size_t wanted = 0;
    for (const auto& signal : signal_table) {
        // A child's end is no request: it is what the loop wakes up for.
        if (signal.in_master != SignalUse::handled || signal.number == SIGCHLD) continue;
        const auto is_its = [&](const MasterSignalRow& row) { return row.signal == signal.number; };
        if (std::count_if(rows.begin(), rows.end(), is_its) != 1) return false;
        ++wanted;
    }
    for (const auto& row : rows) {
        for (const auto& reaction : row.reactions) {
            const bool does_nothing =
                reaction.action == MasterAction::ignore || reaction.action == MasterAction::refuse;
            if (does_nothing == std::string_view(reaction.reason).empty()) return false;
        }
    }
    return rows.size() == wanted;
}
static_assert(is_whole(master_signals));

// Throws std::logic_error for a signal that has no row.
const MasterSignalRow& master_signal(int signal);
MasterReaction react(MasterState state, int signal);
// The state once that action has been carried out.
MasterState next_state(MasterState state, MasterAction action);

const char* to_string(MasterState state);
const char* to_string(MasterAction action);
// The table as text: a line a signal, a column a state.
std::string master_table_text();

// The state over time, and the exit code that it will end with.
class MasterLife {
  public:
    explicit MasterLife(int exit_code) : exit_code_(exit_code) {}

    MasterState state() const { return state_; }
    bool is(MasterState state) const { return state_ == state; }
    bool stopping() const { return state_ == MasterState::stopping; }
    // It stops, or will before long.
    bool ending() const { return stopping() || state_ == MasterState::delaying; }
    int exit_code() const { return exit_code_; }

    // A signal has come. What is to be done; the state is the one after it. `can_delay`: --shutdown-delay is set and a
    // worker serves. The caller follows a delay_stop with delay_until().
    MasterReaction signalled(int signal, bool can_delay);

    // The app was loaded for the first time. Later calls change nothing.
    void loaded();
    // Workers are wanted again, if they had retired. True if they had.
    bool call_back();
    void delay_until(SteadyTime time) { stop_at_ = time; }
    // When the shutdown delay is over; SteadyTime::max() while there is none.
    SteadyTime stop_at() const { return stop_at_; }
    void stop();
    // The exit code from now on.
    void fail(int exit_code) { exit_code_ = exit_code; }

  private:
    MasterState state_ = MasterState::loading;
    SteadyTime stop_at_ = SteadyTime::max();
    int exit_code_;
};

} // namespace cppcorn

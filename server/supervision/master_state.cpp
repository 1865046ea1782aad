#include "server/supervision/master_state.hpp"

#include <stdexcept>
#include <utility>

namespace cppcorn {

const MasterSignalRow& master_signal(int signal) {
    for (const auto& row : master_signals) {
        if (row.signal == signal) return row;
    }
    throw std::logic_error("signal " + std::to_string(signal) + " has no row in the master's table");
}

MasterReaction react(MasterState state, int signal) {
    return master_signal(signal).reactions[static_cast<std::size_t>(state)];
}

MasterState next_state(MasterState state, MasterAction action) {
    switch (action) {
        case MasterAction::stop_gracefully:
        case MasterAction::stop_quickly:
            return MasterState::stopping;
        case MasterAction::delay_stop:
            return MasterState::delaying;
        case MasterAction::retire_workers:
            return MasterState::retired;
        case MasterAction::reload:
        case MasterAction::add_workers:
            return state == MasterState::retired ? MasterState::serving : state;
        case MasterAction::remove_workers:
        case MasterAction::reopen_logs:
        case MasterAction::upgrade:
        case MasterAction::ignore:
        case MasterAction::refuse:
            return state;
    }
    return state;
}

const char* to_string(MasterState state) {
    switch (state) {
        case MasterState::loading:
            return "loading";
        case MasterState::serving:
            return "serving";
        case MasterState::retired:
            return "retired";
        case MasterState::delaying:
            return "delaying";
        case MasterState::stopping:
            return "stopping";
    }
    return "";
}

const char* to_string(MasterAction action) {
    switch (action) {
        case MasterAction::stop_gracefully:
            return "stop gracefully";
        case MasterAction::delay_stop:
            return "delay, then stop";
        case MasterAction::stop_quickly:
            return "stop quickly";
        case MasterAction::reload:
            return "reload";
        case MasterAction::add_workers:
            return "add workers";
        case MasterAction::remove_workers:
            return "remove workers";
        case MasterAction::reopen_logs:
            return "reopen logs";
        case MasterAction::upgrade:
            return "upgrade";
        case MasterAction::retire_workers:
            return "retire workers";
        case MasterAction::ignore:
            return "ignored";
        case MasterAction::refuse:
            return "refused";
    }
    return "";
}

std::string master_table_text() {
    constexpr std::size_t column = 18;
    const auto cell = [&](std::string text) { return text.append(column - std::min(column, text.size()), ' '); };
    const auto add_line = [](std::string& text, const std::string& line) {
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    };
    std::string text;
    std::string heading = cell("");
    for (const MasterState state : all_master_states) heading += cell(to_string(state));
    add_line(text, heading);
    for (const auto& row : master_signals) {
        std::string line = cell(row.name);
        for (const auto& reaction : row.reactions) line += cell(to_string(reaction.action));
        add_line(text, line);
    }
    return text;
}

MasterReaction MasterLife::signalled(int signal, bool can_delay) {
    MasterReaction reaction = react(state_, signal);
    if (reaction.action == MasterAction::delay_stop && !can_delay) reaction.action = MasterAction::stop_gracefully;
    state_ = next_state(state_, reaction.action);
    if (stopping()) stop_at_ = SteadyTime::max();
    return reaction;
}

void MasterLife::loaded() {
    if (state_ == MasterState::loading) state_ = MasterState::serving;
}

bool MasterLife::call_back() {
    const bool had_retired = state_ == MasterState::retired;
    if (had_retired) state_ = MasterState::serving;
    return had_retired;
}

void MasterLife::stop() {
    state_ = MasterState::stopping;
    stop_at_ = SteadyTime::max();
}

} // namespace cppcorn

// A worker table and a master without processes, for tests of the table.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "server/supervision/worker_table.hpp"

namespace rehearsal {

using namespace cppcorn;
using namespace std::chrono_literals;
using Signals = std::vector<int>;

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

inline std::vector<int> signals_of(const WorkerCommands& commands) {
    std::vector<int> result;
    for (const auto& command : commands.signals) result.push_back(command.signal);
    return result;
}

} // namespace rehearsal

#include "server/supervision/worker_table.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto kill_delay = 1s;         // between the ABRT to an overdue worker and the KILL
constexpr auto quick_grace = 1s;        // for workers that were told to exit quickly
constexpr auto first_pause = 100ms;     // before a failed start is tried again
constexpr auto longest_pause = 5'000ms; // however often it has failed
constexpr auto loop_reason = ": its loop stands still, outside of a request";
constexpr auto stable_after = 1s; // a worker that dies sooner, having served nothing, counts as a failed start

std::chrono::milliseconds pause_after(int failed_rounds) {
    auto pause = first_pause;
    for (int i = 1; i < failed_rounds && pause < longest_pause; ++i) pause *= 2;
    return std::min(pause, longest_pause);
}

} // namespace

const WorkerEntry* WorkerTable::entry_of(pid_t pid) const {
    auto it = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.pid == pid; });
    return it == entries_.end() ? nullptr : &*it;
}

WorkerEntry* WorkerTable::find(pid_t pid) {
    return const_cast<WorkerEntry*>(entry_of(pid));
}

bool WorkerTable::has_workers(unsigned generation) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const auto& entry) { return entry.generation == generation; });
}

int WorkerTable::count(bool current, WorkerState state) const {
    return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return is_current(entry) == current && entry.state == state;
    }));
}

void WorkerTable::begin_generation(unsigned generation) {
    generation_ = generation;
    generation_ready_ = false;
    failed_rounds_ = 0;
    spawn_not_before_ = {};
    waiting_ = 0;
}

void WorkerTable::roll_back() {
    generation_ = settled_generation_;
    generation_ready_ = true;
    failed_rounds_ = 0;
    spawn_not_before_ = {};
    waiting_ = 0;
}

void WorkerTable::stop(StopKind kind, SteadyTime now) {
    const bool hurried = stop_ == StopKind::graceful && kind == StopKind::quick;
    if (stop_ && !hurried) return;
    stop_ = kind;
    stop_at_ = kind == StopKind::quick ? now + quick_grace : now + policy_.graceful_timeout;
    stop_announced_ = false;
}

void WorkerTable::spawned(int slot, pid_t pid, SteadyTime now) {
    for (const auto& entry : entries_) {
        if (entry.slot == slot || entry.pid == pid) throw std::logic_error("worker slot or pid is taken");
    }
    WorkerEntry entry;
    entry.slot = slot;
    entry.pid = pid;
    entry.generation = generation_;
    entry.spawned_at = now;
    entry.act_at = policy_.boot_timeout.count() > 0 ? now + policy_.boot_timeout : SteadyTime::max();
    entries_.push_back(entry);
}

void WorkerTable::ready(pid_t pid, SteadyTime now) {
    WorkerEntry* entry = find(pid);
    if (entry == nullptr) return;
    const WorkerState next = rule_of(entry->state, WorkerEvent::ready).next;
    if (next == entry->state) return;
    entry->state = next;
    entry->ready_at = now;
    start_has_failed_ = false;
    entry->act_at = SteadyTime::max();
    if (is_current(*entry)) {
        generation_ready_ = true;
        settled_generation_ = generation_;
    }
}

void WorkerTable::wants_replacement(pid_t pid) {
    if (WorkerEntry* entry = find(pid)) entry->wants_replacement = true;
}

void WorkerTable::stands_still(pid_t pid) {
    if (WorkerEntry* entry = find(pid)) entry->stands_still = true;
}

std::optional<WorkerEntry> WorkerTable::exited(pid_t pid, bool served, SteadyTime now) {
    WorkerEntry* found = find(pid);
    if (found == nullptr) return std::nullopt;
    const WorkerEntry entry = *found;
    entries_.erase(entries_.begin() + (found - entries_.data()));
    const bool never_started = entry.ready_at == SteadyTime{};
    const bool died_at_once = !never_started && !served && now < entry.ready_at + stable_after;
    const bool sent_away = entry.state == WorkerState::retiring;
    if (is_current(entry) && !sent_away && (never_started || died_at_once)) {
        start_failed(entry.spawned_at, now);
        // One that was ready and has died at once may be the only one.
        start_has_failed_ = start_has_failed_ || never_started || failed_rounds_ > 1;
    }
    return entry;
}

void WorkerTable::postpone(SteadyClock::duration time) {
    for (auto& entry : entries_) {
        if (entry.act_at != SteadyTime::max()) entry.act_at += time;
    }
    stop_at_ += time;
}

void WorkerTable::spawn_failed(SteadyTime now) {
    start_failed(now, now);
    start_has_failed_ = true;
    waiting_ = capacity_; // there can be no process at all
}

void WorkerTable::start_failed(SteadyTime spawned_at, SteadyTime now) {
    waiting_++;
    if (failed_rounds_ > 0 && spawned_at <= round_began_) return; // of a round that is counted already
    failed_rounds_++;
    round_began_ = now;
    spawn_not_before_ = now + pause_after(failed_rounds_);
}

void WorkerTable::forget_failures(SteadyTime now) {
    if (failed_rounds_ == 0) return;
    for (const auto& entry : entries_) {
        const bool stable = entry.state == WorkerState::serving && now >= entry.ready_at + stable_after;
        if (is_current(entry) && stable && entry.spawned_at > round_began_) failed_rounds_ = 0;
    }
}

WorkerCommands WorkerTable::tick(SteadyTime now, const RequestDeadline& request_deadline) {
    WorkerCommands commands;
    forget_failures(now);
    end_overdue(now, request_deadline, commands);
    retire_unneeded(now, commands);
    spawn_missing(now, commands);
    return commands;
}

void WorkerTable::end_overdue(SteadyTime now, const RequestDeadline& request_deadline, WorkerCommands& commands) {
    for (auto& entry : entries_) {
        const auto deadline = request_deadline(entry.slot);
        // KILL again and again, should the first be lost on a process in the kernel's hands.
        if (now >= entry.act_at) {
            apply(WorkerEvent::late, entry, now + kill_delay, commands);
        } else if (deadline && now >= *deadline) {
            apply(WorkerEvent::request_late, entry, now + kill_delay, commands);
        } else if (entry.stands_still && !deadline) {
            apply(WorkerEvent::stands_still, entry, now + kill_delay, commands);
        }
        entry.stands_still = false;
    }
}

// `act_at`: when it is late next, if the event does anything to it.
void WorkerTable::apply(WorkerEvent event, WorkerEntry& entry, SteadyTime act_at, WorkerCommands& commands) {
    const WorkerRule& rule = rule_of(entry.state, event);
    if (rule.signal == 0) return;
    const bool hurries = event == WorkerEvent::stopped && stop_ == StopKind::quick;
    const int signal = hurries ? SIGQUIT : rule.signal;
    const char* reason = signal == SIGKILL ? kill_reason(entry) : event == WorkerEvent::stands_still ? loop_reason : "";
    entry.state = rule.next;
    entry.act_at = act_at;
    entry.killed = entry.killed || signal == SIGKILL;
    commands.signals.push_back({entry.pid, entry.slot, signal, reason});
}

const char* WorkerTable::kill_reason(const WorkerEntry& entry) const {
    if (entry.state == WorkerState::overdue) return "did not exit within a second of SIGABRT";
    if (stop_ == StopKind::quick) return "did not exit within a second of the quick stop";
    return "did not exit within --graceful-timeout";
}

// The one to let go first: who asked for it, else the oldest that serves.
WorkerEntry* WorkerTable::most_dispensable(bool current) {
    WorkerEntry* best = nullptr;
    for (auto& entry : entries_) {
        if (entry.state != WorkerState::serving || is_current(entry) != current) continue;
        const bool better = best == nullptr || (entry.wants_replacement && !best->wants_replacement) ||
                            (entry.wants_replacement == best->wants_replacement && entry.spawned_at < best->spawned_at);
        if (better) best = &entry;
    }
    return best;
}

void WorkerTable::retire_unneeded(SteadyTime now, WorkerCommands& commands) {
    if (stop_) {
        if (stop_announced_) return;
        stop_announced_ = true;
        for (auto& entry : entries_) apply(WorkerEvent::stopped, entry, stop_at_, commands);
        return;
    }
    const SteadyTime grace_end = now + policy_.graceful_timeout;
    // An old worker goes only when a new one stands in its place.
    const int serving = count(true, WorkerState::serving);
    const int old_needed = std::max(0, wanted_ - serving);
    for (int old = count(false, WorkerState::serving); old > old_needed; --old) {
        apply(WorkerEvent::unneeded, *most_dispensable(false), grace_end, commands);
    }
    if (generation_ready_) {
        for (auto& entry : entries_) {
            if (is_current(entry) || entry.state != WorkerState::starting) continue;
            apply(WorkerEvent::unneeded, entry, grace_end, commands);
        }
    }
    for (int surplus = serving - wanted_; surplus > 0; --surplus) {
        apply(WorkerEvent::unneeded, *most_dispensable(true), grace_end, commands);
    }
}

// Workers that asked for a replacement get it before they go, a tenth of all at a time and one at least.
int WorkerTable::missing() const {
    const int alive = count(true, WorkerState::serving) + count(true, WorkerState::starting);
    const int asking = static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return is_current(entry) && entry.state == WorkerState::serving && entry.wants_replacement;
    }));
    const int at_a_time = std::max(0, std::max(1, wanted_ / 10) - count(true, WorkerState::retiring));
    const int needed = wanted_ + std::min(asking, at_a_time) - alive;
    const bool replaces_old = count(false, WorkerState::serving) > 0;
    if (policy_.reload_surge == 0 || !replaces_old) return needed;
    return std::min(needed, wanted_ + policy_.reload_surge - static_cast<int>(entries_.size()));
}

void WorkerTable::spawn_missing(SteadyTime now, WorkerCommands& commands) {
    if (stop_ || hopeless() || !can_spawn_) return;
    if (now >= spawn_not_before_) waiting_ = 0;
    std::vector<bool> taken(static_cast<std::size_t>(capacity_), false);
    for (const auto& entry : entries_) taken[static_cast<std::size_t>(entry.slot)] = true;
    int slot = 0;
    for (int n = missing() - waiting_; n > 0; --n) {
        while (slot < capacity_ && taken[static_cast<std::size_t>(slot)]) slot++;
        if (slot == capacity_) return;
        commands.spawns.push_back(slot++);
    }
}

std::optional<SteadyTime> WorkerTable::next_tick(SteadyTime now, const RequestDeadline& request_deadline) const {
    SteadyTime next = SteadyTime::max();
    for (const auto& entry : entries_) {
        next = std::min(next, entry.act_at);
        if (entry.state == WorkerState::overdue) continue;
        if (const auto deadline = request_deadline(entry.slot)) next = std::min(next, *deadline);
    }
    const bool room = static_cast<int>(entries_.size()) < capacity_;
    if (!stop_ && !hopeless() && can_spawn_ && room && missing() > 0)
        next = std::min(next, std::max(spawn_not_before_, now));
    if (next == SteadyTime::max()) return std::nullopt;
    return next;
}

} // namespace cppcorn

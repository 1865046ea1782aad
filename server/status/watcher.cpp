#include "server/status/watcher.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include <unistd.h>

namespace cppcorn {
namespace {

// What clients are told as a rule whose worker has ended.
constexpr std::size_t status_of_lost = 500;

double seconds(SteadyClock::duration time) {
    return std::max(0.0, std::chrono::duration<double>(time).count());
}

template <std::size_t size>
void add_all(std::array<std::uint64_t, size>& sums, const std::array<Counter, size>& counters) {
    for (std::size_t i = 0; i < size; ++i) sums[i] += counters[i].value();
}

using AnswersByClass = std::array<std::uint64_t, WorkerCounters::class_count>;

AnswersByClass by_class(const WorkerCounters& counters) {
    constexpr std::size_t class_size = WorkerCounters::status_count / WorkerCounters::class_count;
    AnswersByClass answers{};
    for (std::size_t status = 0; status < counters.statuses.size(); ++status) {
        answers[status / class_size] += counters.statuses[status].value();
    }
    return answers;
}

void add(const AnswersByClass& answers, AnswersByClass& sums) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += answers[i];
}

// Numbers that stand for something, from memory that others write.
template <class Enumeration>
Enumeration checked(std::uint64_t value, std::size_t count) {
    return static_cast<Enumeration>(value < count ? value : 0);
}

} // namespace

Watcher::Watcher(const Scoreboard& scoreboard, const ServiceBoard& board, Slots slots, pid_t master,
                 ListenQueues queues)
    : scoreboard_(scoreboard), board_(board), slots_(slots), master_(master), queues_(std::move(queues)) {}

void Watcher::add_counters(ServiceView& view, const WorkerCounters& counters) {
    add(by_class(counters), view.answers);
    add_all(view.connections, counters.connections);
    view.durations.add(counters.durations);
    view.queue_times.add(counters.queue_times);
    view.cut += counters.cut.value();
    view.accepted += counters.accepted.value();
    view.moved[0] += counters.moved_from_retiring.value();
    view.moved[1] += counters.moved_from_busy.value();
    view.moved[2] += counters.moved_from_dead.value();
}

WorkerView Watcher::view_of(int slot, const ServiceBoard::Row& row, SteadyTime now) const {
    const ScoreboardSlot& board = scoreboard_.slot(slot);
    WorkerView worker;
    worker.slot = slot;
    worker.pid = static_cast<pid_t>(row.pid.value());
    worker.state = checked<WorkerState>(row.state.value(), worker_state_count);
    worker.generation = static_cast<unsigned>(row.generation.value());
    worker.age = seconds(now - board_time(row.spawned_ns.value()));
    worker.is_busy = board.busy();
    worker.current = board.current();
    if (worker.current) worker.current_age = seconds(now - worker.current->began);
    worker.requests = board.requests();
    const AnswersByClass answers = by_class(board.counters);
    worker.answers = std::accumulate(answers.begin(), answers.end(), std::uint64_t{0});
    worker.errors = answers.back();
    worker.recent.add(board.counters.durations);
    if (static_cast<std::size_t>(slot) < earlier_.size())
        worker.recent.subtract(earlier_[static_cast<std::size_t>(slot)]);
    for (const auto& count : board.counters.connections) worker.connections += count.value();
    worker.ends = row.ends.value();
    worker.last_cause = checked<EndCause>(row.last_cause.value(), end_cause_count);
    return worker;
}

ServiceView Watcher::view(SteadyTime now) {
    ServiceView view;
    view.time = now;
    view.state = checked<MasterState>(board_.state.value(), all_master_states.size());
    view.is_draining = board_.draining.value() != 0;
    view.heartbeat_age = seconds(now - board_time(board_.heartbeat_ns.value()));
    view.wanted = board_.wanted.value();
    const int used = slots_used();
    for (int slot = 0; slot < used; ++slot) {
        const ServiceBoard::Row& row = board_.rows[static_cast<std::size_t>(slot)];
        add_counters(view, scoreboard_.slot(slot).counters);
        if (row.pid.value() == 0) continue;
        const WorkerView worker = view_of(slot, row, now);
        ++view.by_state[static_cast<std::size_t>(worker.state)];
        if (worker.is_busy) ++view.busy;
        view.oldest_request_age = std::max(view.oldest_request_age, worker.current_age);
        view.workers.push_back(worker);
    }
    add_counters(view, scoreboard_.slot(slots_.stand_in).counters);
    view.answers.back() += board_.lost_requests.value(); // of which their clients are told 500 or 504
    view.slow = board_.slow_requests.value();
    add_all(view.ends, board_.ends);
    add_all(view.reloads, board_.reloads);
    view.dropped_log_lines = board_.dropped_log_lines.value();
    view.queues = queues_.look();
    return view;
}

ServiceView Watcher::glance(SteadyTime now) {
    ServiceView glance = view(now);
    history_.set_present(
        {now, glance.waiting(), glance.accepted, glance.busy, glance.all_answers(), glance.answers.back()});
    if (const auto wait = history_.expected_wait()) glance.expected_wait = wait->count();
    return glance;
}

ServiceView Watcher::look(SteadyTime now) {
    ServiceView look = glance(now);
    look.last_ends = board_.last_ends.all();
    look.all_workers.cpu_seconds = static_cast<double>(board_.cpu_of_dead_us.value()) / 1e6;
    for (auto& worker : look.workers) {
        worker.usage = usage_of(worker.pid);
        if (!worker.usage) continue;
        look.all_workers.resident_bytes += worker.usage->resident_bytes;
        look.all_workers.cpu_seconds += worker.usage->cpu_seconds;
    }
    // One that is gone from /proc, and that the master has not counted yet, is missing for an instant.
    most_cpu_seconds_ = std::max(most_cpu_seconds_, look.all_workers.cpu_seconds);
    look.all_workers.cpu_seconds = most_cpu_seconds_;
    look.master = usage_of(master_);
    look.own = usage_of(::getpid());
    if (look.own) look.own->cpu_seconds += static_cast<double>(board_.cpu_of_statuses_us.value()) / 1e6;
    return look;
}

ServiceView Watcher::sample(SteadyTime now) {
    ServiceView view = glance(now);
    history_.keep_present();
    if (now >= next_minute_) note_durations(now);
    return view;
}

Totals Watcher::totals() const {
    Totals totals;
    const auto add = [&](const WorkerCounters& counters) {
        add_all(totals.statuses, counters.statuses);
        totals.durations.add(counters.durations);
        totals.queue_times.add(counters.queue_times);
    };
    const int used = slots_used();
    for (int slot = 0; slot < used; ++slot) add(scoreboard_.slot(slot).counters);
    add(scoreboard_.slot(slots_.stand_in).counters);
    totals.statuses[status_of_lost] += board_.lost_requests.value();
    totals.warnings = board_.log_lines.warnings.value();
    totals.errors = board_.log_lines.errors.value();
    totals.criticals = board_.log_lines.criticals.value();
    return totals;
}

int Watcher::slots_used() const {
    return static_cast<int>(std::min<std::uint64_t>(board_.slots_used.value(), slots_.count));
}

void Watcher::note_durations(SteadyTime now) {
    const bool is_first = next_minute_ == SteadyTime{};
    next_minute_ = now + std::chrono::minutes(1);
    std::vector<Durations> present;
    const int used = slots_used();
    for (int slot = 0; slot < used; ++slot) {
        present.emplace_back();
        present.back().add(scoreboard_.slot(slot).counters.durations);
    }
    // What was counted before this process began is not of the last minutes, as far as it knows.
    earlier_ = is_first ? present : std::move(last_);
    last_ = std::move(present);
}

} // namespace cppcorn

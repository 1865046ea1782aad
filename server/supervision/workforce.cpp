#include "server/supervision/workforce.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/master_link.hpp"
#include "server/supervision/worker_end.hpp"
#include "server/supervision/worker_process.hpp"
#include "workers/worker.hpp"

namespace cppcorn {
Workforce::Workforce(Deployment& deployment, PostMortems& post_mortems, MoveQueue queue, ProcessTitle& title)
    : deployment_(deployment),
      post_mortems_(post_mortems),
      title_(title),
      pipes_(MasterPipes::open()),
      queue_(std::move(queue)),
      scoreboard_(most_processes + 1),
      table_(most_processes),
      helpers_(scoreboard_, pipes_, title_) {}

// ---- How many are wanted, and of which generation

void Workforce::begin_generation(unsigned generation) {
    // Of a reload that was queued, nobody has noted the begin.
    if (generation > 1) reload_.begin(table_.generation(), SteadyClock::now());
    table_.begin_generation(generation);
    helpers_.renew_lookout();
}

void Workforce::roll_back() {
    reload_.drop();
    table_.roll_back();
    helpers_.renew_lookout();
}

void Workforce::drain_backlogs() {
    for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).drain_backlog();
}

void Workforce::end_connections() {
    for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).end_connections();
}

void Workforce::tell_all(WorkerOrder order) {
    if (order == WorkerOrder::reopen_logs) helpers_.renew_lookout();
    for (const auto& entry : table_.entries()) scoreboard_.tell(entry.slot, order);
    if (stand_in_.pid() != 0) scoreboard_.tell(stand_in_slot, order);
}

void Workforce::forget_unused_releases() {
    deployment_.rollout().forget_unused([this](unsigned generation) { return table_.has_workers(generation); });
}

// ---- What happens

void Workforce::read_notices() {
    Notice notice;
    while (::read(pipes_.notices_read.get(), &notice, sizeof notice) == sizeof notice) {
        if (notice.version != Notice::current_version) continue;
        if (notice.kind == Notice::ready) ready(notice.pid);
        if (notice.kind == Notice::wants_replacement) table_.wants_replacement(notice.pid);
    }
}

void Workforce::ready(pid_t pid) {
    const WorkerEntry* entry = table_.entry_of(pid);
    if (entry == nullptr || entry->state != WorkerState::starting) return;
    const SteadyTime now = SteadyClock::now();
    const std::chrono::duration<double> took = now - entry->spawned_at;
    table_.ready(pid, now);
    spdlog::info("Worker ready (pid:{}), after {:.2f} s", pid, took.count());
    reload_.log_end(table_, deployment_.current().build->id(), now);
}

void Workforce::exited(pid_t pid, int wait_status, long peak_kib) {
    if (pid == stand_in_.pid()) return stand_in_exited(wait_status);
    worker_exited(pid, wait_status, peak_kib);
}

void Workforce::stand_in_exited(int wait_status) {
    if (!table_.stopping() && table_.cannot_serve()) spdlog::error("The stand-in {}", text_of_end(wait_status));
    stand_in_.exited(SteadyClock::now());
    vacate_slot(stand_in_slot);
}

void Workforce::worker_exited(pid_t pid, int wait_status, long peak_kib) {
    const WorkerEntry* known = table_.entry_of(pid);
    if (known == nullptr) return helpers_.exited(pid, wait_status, table_.entries());
    const ScoreboardSlot& board = scoreboard_.slot(known->slot);
    const SteadyTime now = SteadyClock::now();
    const auto entry = table_.exited(pid, board.requests() > 0 || board.busy(), now);
    if (entry->state != WorkerState::retiring) last_failure_ = text_of_end(wait_status);
    if (entry->state == WorkerState::starting && WIFEXITED(wait_status)) {
        start_failure_ = WEXITSTATUS(wait_status) == worker_exit_no_app ? exit_no_app : exit_no_worker;
    }
    log_end(*entry, wait_status, peak_kib, now);
    helpers_.worker_ended(entry->slot);
    vacate_slot(entry->slot);
    forget_unused_releases();
}

void Workforce::log_end(const WorkerEntry& entry, int wait_status, long peak_kib, SteadyTime now) {
    const ScoreboardSlot& board = scoreboard_.slot(entry.slot);
    const bool asked_to = entry.state == WorkerState::retiring || table_.stopping();
    const Release& its_release = *deployment_.rollout().release_of(entry.generation);
    EndClues clues{oom_kills_.recent(now), false, ""};
    if (Death death = death_of_worker(entry, wait_status, board, scoreboard_.crash(entry.slot), peak_kib);
        is_crash(wait_status, death.crash)) {
        death.identity = its_release.identity;
        clues.has_crashed = true;
        clues.repeat = post_mortems_.add(std::move(death), now);
    }
    log_worker_end(entry, asked_to, wait_status, board, clues);
    log_lost_request(board, *its_release.access_log);
}

void Workforce::master_waited(SteadyTime began, SteadyTime due, SteadyTime now) {
    if (const auto time = suspension_.note_wait(began, due, now)) {
        table_.postpone(*time);
        loops_.restart();
    }
}

// ---- What is to be done

// A --timeout of 0 is for people with debuggers, too.
void Workforce::watch_loops(SteadyTime now) {
    if (timeout().count() == 0 || now < loops_.due()) return;
    const auto findings = loops_.look(now, timeout(), table_.entries(), [this](int slot) -> LoopWatch::Signs {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        return {board.busy(), board.requests(), !board.orders().waiting().contains(WorkerOrder::answer)};
    });
    for (const int slot : findings.to_ask) scoreboard_.tell(slot, WorkerOrder::answer);
    for (const pid_t pid : findings.stands_still) table_.stands_still(pid);
}

void Workforce::supervise(SteadyTime now, bool may_stand_in) {
    const WorkerCommands commands = table_.tick(now, request_deadline());
    for (const auto& command : commands.signals) send(command);
    for (const int slot : commands.spawns) {
        if (!spawn(slot, now)) break;
    }
    supervise_stand_in(now, may_stand_in);
    helpers_.supervise(deployment_.current(), table_.stopping(), now);
}

// A worker begins a request without telling: what is idle now can be overdue one timeout from now, not sooner.
SteadyTime Workforce::due(SteadyTime now) const {
    SteadyTime next = std::min(stand_in_.due(), helpers_.due());
    if (const auto tick = table_.next_tick(now, request_deadline())) next = std::min(next, *tick);
    if (timeout().count() > 0 && !table_.empty()) next = std::min(next, now + timeout());
    if (timeout().count() > 0 && table_.serving() > 0) next = std::min(next, loops_.due());
    return next;
}

WorkerTable::RequestDeadline Workforce::request_deadline() const {
    return [this](int slot) -> std::optional<SteadyTime> {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        const auto deadline = board.request_deadline();
        return deadline ? std::optional(suspension_.extended(*deadline, board.began())) : std::nullopt;
    };
}

bool Workforce::spawn(int slot, SteadyTime now) {
    deployment_.before_spawn();
    try {
        const bool has_understudy = !deployment_.current().settings().worker.no_understudy;
        prepare_slot(slot, has_understudy ? Scoreboard::Understudy::wanted : Scoreboard::Understudy::none);
        table_.spawned(slot, start_worker(deployment_.current(), slot, scoreboard_, pipes_, queue_, title_), now);
        if (std::exchange(fork_failing_, false)) spdlog::info("Workers can be started again");
        return true;
    } catch (const std::system_error& error) {
        if (!std::exchange(fork_failing_, true)) {
            spdlog::error("Cannot start a worker: {}; retrying with back-off", error.what());
        }
        last_failure_ = "could not be started";
        table_.spawn_failed(now);
        return false;
    }
}

// Only what ends a worker is sent as a signal: any other would break off what the app waits for (decision 26).
void Workforce::send(const SignalCommand& command) {
    if (command.signal == SIGTERM) return scoreboard_.tell(command.slot, WorkerOrder::retire);
    if (command.signal == SIGQUIT) return scoreboard_.tell(command.slot, WorkerOrder::exit);
    if (command.signal == SIGABRT) {
        const std::string request = request_under_way(scoreboard_.slot(command.slot), SteadyClock::now());
        spdlog::critical("WORKER TIMEOUT (pid:{}){}{}", command.pid, request, command.reason);
    } else if (command.signal == SIGKILL) {
        spdlog::warn("Killing worker (pid:{}), which {}", command.pid, command.reason);
    }
    ::kill(command.pid, command.signal);
}

void Workforce::supervise_stand_in(SteadyTime now, bool may_stand_in) {
    const bool is_wanted = table_.cannot_serve() && may_stand_in;
    switch (stand_in_.tick(is_wanted, table_.stopping(), table_.generation(), now)) {
        case StandIn::Command::none:
            break;
        case StandIn::Command::start:
            start_stand_in(now);
            break;
        case StandIn::Command::retire:
            scoreboard_.tell(stand_in_slot, WorkerOrder::retire);
            break;
        case StandIn::Command::exit:
            scoreboard_.tell(stand_in_slot, WorkerOrder::exit);
            break;
        case StandIn::Command::kill:
            ::kill(stand_in_.pid(), SIGKILL);
            break;
    }
    if (stand_in_.is_to_be_logged(now)) {
        const pid_t pid = stand_in_.pid();
        spdlog::error("No worker serves: the last that was started {}; {}", last_failure_,
                      pid != 0 ? fmt::format("a stand-in (pid:{}) answers 503", pid) : "nobody answers");
    }
}

void Workforce::start_stand_in(SteadyTime now) {
    try {
        prepare_slot(stand_in_slot, Scoreboard::Understudy::none);
        const pid_t pid = cppcorn::start_stand_in(deployment_.current(), stand_in_slot, scoreboard_, pipes_, title_);
        stand_in_.started(pid, table_.generation());
    } catch (const std::system_error& error) {
        spdlog::error("Cannot start a stand-in: {}", error.what());
        stand_in_.start_failed(now);
    }
}

void Workforce::prepare_slot(int slot, Scoreboard::Understudy understudy) {
    scoreboard_.prepare(slot, understudy);
    helpers_.slot_changed(slot);
}

void Workforce::vacate_slot(int slot) {
    scoreboard_.vacate(slot);
    helpers_.slot_changed(slot);
}

} // namespace cppcorn

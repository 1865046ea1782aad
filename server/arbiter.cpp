#include "server/arbiter.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/master_link.hpp"
#include "base/signal_sender.hpp"
#include "base/signals.hpp"
#include "server/supervision/service_report.hpp"
#include "server/supervision/worker_end.hpp"
#include "server/supervision/worker_process.hpp"
#include "workers/worker.hpp"

namespace cppcorn {

namespace {

constexpr int pause_after_error_ms = 100;

void log_sender(int signal) {
    if (const auto sender = last_signal_sender(signal)) {
        spdlog::info("{} was sent by {}", signal_name(signal), text_of(*sender));
    }
}

} // namespace

Arbiter::Arbiter(std::shared_ptr<Release> release, std::optional<Predecessor> predecessor, Surroundings surroundings)
    : around_(surroundings),
      signals_(signals_used(ProcessKind::master, SignalUse::handled)),
      pipes_(MasterPipes::open()),
      scoreboard_(most_processes + 1),
      table_(most_processes),
      upgrade_(std::move(predecessor)),
      deployment_(std::move(release), around_.start, upgrade_, around_.title),
      post_mortems_([](const std::string& text) { spdlog::error("{}", text); }) {
    ignore_signals(ProcessKind::master);
}

int Arbiter::run() {
    start();
    while (!finished()) {
        attempt(&Arbiter::reap);
        attempt(&Arbiter::supervise);
        attempt(&Arbiter::wait);
        attempt(&Arbiter::read_notices); // first: a worker that said that it is ready before the signal came counts
        attempt(&Arbiter::handle_signals);
    }
    shut_down();
    return life_.exit_code();
}

void Arbiter::start() {
    around_.title.set("cppcorn: master [" + settings().display_name() + "]");
    settle(deployment_.start());
}

bool Arbiter::finished() const {
    return service_has_ended() && post_mortems_.idle();
}

bool Arbiter::service_has_ended() const {
    const bool has_children = !table_.empty() || stand_in_.pid() != 0 || deployment_.probe_pid() != 0;
    return life_.stopping() && !has_children;
}

void Arbiter::shut_down() {
    if (upgrade_.successor() != 0) around_.service_manager.hand_over(upgrade_.successor());
    spdlog::info("Shutting down: Master");
}

// ---- The loop's steps

// Whatever goes wrong in one turn is no reason to end the service. The pause is for what goes wrong in each.
void Arbiter::attempt(void (Arbiter::*step)()) {
    try {
        (this->*step)();
    } catch (const std::exception& error) {
        spdlog::error("{}; serving on", error.what());
        ::poll(nullptr, 0, pause_after_error_ms);
    } catch (...) {
        spdlog::error("An error without a text; serving on");
        ::poll(nullptr, 0, pause_after_error_ms);
    }
}

void Arbiter::reap() {
    int status = 0;
    rusage usage{};
    for (pid_t pid; (pid = ::wait4(-1, &status, WNOHANG, &usage)) > 0;) {
        if (pid == deployment_.probe_pid()) {
            probe_exited(status, usage.ru_maxrss);
        } else if (pid == upgrade_.successor()) {
            successor_exited(status);
        } else if (pid == stand_in_.pid()) {
            if (!table_.stopping() && table_.cannot_serve()) spdlog::error("The stand-in {}", text_of_end(status));
            stand_in_.exited(SteadyClock::now());
            scoreboard_.vacate(stand_in_slot);
        } else if (pid == post_mortems_.reader_pid()) {
            post_mortems_.reader_exited();
        } else {
            worker_exited(pid, status, usage.ru_maxrss);
        }
    }
}

void Arbiter::supervise() {
    const SteadyTime now = SteadyClock::now();
    settle(deployment_.supervise(now));
    if (service_has_ended()) post_mortems_.come_to_an_end(now);
    post_mortems_.supervise(now);
    if (now >= life_.stop_at()) {
        spdlog::info("The shutdown delay is over");
        stop(StopKind::graceful);
    }
    if (const auto path = deployment_.changed_file(now); path && !life_.ending()) {
        spdlog::info("{} has changed", *path);
        begin_reload();
    }
    watch_loops(now);
    if (table_.hopeless() && !life_.stopping()) settle(deployment_.workers_cannot_start(start_failure_));
    const WorkerCommands commands = table_.tick(now, request_deadline());
    for (const auto& command : commands.signals) send(command);
    for (const int slot : commands.spawns) {
        if (!spawn(slot, now)) break;
    }
    supervise_stand_in(now);
    report(service_state(life_, table_, deployment_.rollout(), upgrade_.successor() != 0));
}

// A --timeout of 0 is for people with debuggers, too.
void Arbiter::watch_loops(SteadyTime now) {
    const Milliseconds timeout = settings().worker.timeout;
    if (timeout.count() == 0 || now < loops_.due()) return;
    const auto findings = loops_.look(now, timeout, table_.entries(), [this](int slot) -> LoopWatch::Signs {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        return {board.busy(), board.requests(), !board.orders().waiting().contains(WorkerOrder::answer)};
    });
    for (const int slot : findings.to_ask) scoreboard_.tell(slot, WorkerOrder::answer);
    for (const pid_t pid : findings.stands_still) table_.stands_still(pid);
}

void Arbiter::wait() {
    const SteadyTime now = SteadyClock::now();
    int timeout_ms = -1;
    const auto next = next_wake(now);
    if (next) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - now).count();
        timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    if (finished()) timeout_ms = 0;
    // poll passes over negative descriptors.
    pollfd entries[] = {{signals_.fd(), POLLIN, 0},
                        {pipes_.notices_read.get(), POLLIN, 0},
                        {upgrade_.predecessor_fd(), POLLIN, 0},
                        {deployment_.watch_fd(), POLLIN, 0}};
    ::poll(entries, std::size(entries), timeout_ms);
    if (next) {
        if (const auto time = suspension_.note_wait(now, *next, SteadyClock::now())) {
            table_.postpone(*time);
            loops_.restart();
        }
    }
    if (entries[2].revents != 0) become_the_master();
    if (entries[3].revents != 0) deployment_.take_changes(SteadyClock::now());
}

// A worker begins a request without telling: what is idle now can be overdue one timeout from now, not sooner.
std::optional<SteadyTime> Arbiter::next_wake(SteadyTime now) const {
    SteadyTime next = std::min({life_.stop_at(), deployment_.due(), stand_in_.due(), post_mortems_.due()});
    if (!upgrade_.has_predecessor()) next = std::min(next, around_.service_manager.due());
    if (const auto tick = table_.next_tick(now, request_deadline())) next = std::min(next, *tick);
    const Milliseconds timeout = settings().worker.timeout;
    if (timeout.count() > 0 && !table_.empty()) next = std::min(next, now + timeout);
    if (timeout.count() > 0 && table_.serving() > 0) next = std::min(next, loops_.due());
    if (next == SteadyTime::max()) return std::nullopt;
    return next;
}

void Arbiter::read_notices() {
    Notice notice;
    while (::read(pipes_.notices_read.get(), &notice, sizeof notice) == sizeof notice) {
        if (notice.version != Notice::current_version) continue;
        if (notice.kind == Notice::ready) worker_ready(notice.pid);
        if (notice.kind == Notice::wants_replacement) table_.wants_replacement(notice.pid);
    }
    if (!table_.settled()) return;
    deployment_.settled();
    forget_unused_releases();
    if (!around_.daemon.serves(settings())) return;
    reopen_error_log(); // one to the terminal has ended
    release().access_log->reopen();
}

void Arbiter::handle_signals() {
    const auto taken = signals_.take();
    for (const auto& row : master_signals) {
        if (taken.contains(row.signal)) handle(row, taken.count(row.signal));
    }
}

// ---- Signals

void Arbiter::handle(const MasterSignalRow& row, unsigned count) {
    // Terminals send it when their size changes.
    if (row.signal == SIGWINCH && has_terminal()) {
        return spdlog::debug("Handling signal: winch; ignored: this master has a terminal");
    }
    const bool can_delay = settings().shutdown_delay.count() > 0 && table_.serving() > 0;
    const auto [action, reason] = life_.signalled(row.signal, can_delay);
    const int times = static_cast<int>(std::min<unsigned>(count, most_processes));
    switch (action) {
        case MasterAction::stop_gracefully:
        case MasterAction::stop_quickly:
            spdlog::info("Handling signal: {}", row.name);
            log_sender(row.signal);
            if (action == MasterAction::stop_gracefully) return stop(StopKind::graceful);
            post_mortems_.hurry();
            return stop(StopKind::quick);
        case MasterAction::delay_stop:
            return begin_delay();
        case MasterAction::reload:
            spdlog::info("Handling signal: {}", row.name);
            return begin_reload();
        case MasterAction::add_workers:
            return change_workers(row, times);
        case MasterAction::remove_workers:
            return change_workers(row, -times);
        case MasterAction::reopen_logs:
            spdlog::info("Handling signal: {}", row.name);
            return reopen_logs();
        case MasterAction::upgrade:
            return begin_upgrade();
        case MasterAction::retire_workers:
            spdlog::info("Handling signal: {}; the workers retire, the master stays", row.name);
            return apply_policy();
        case MasterAction::ignore:
            return spdlog::info("Handling signal: {}; ignored: {}", row.name, reason);
        case MasterAction::refuse:
            return spdlog::warn("Handling signal: {}; refused: {}", row.name, reason);
    }
}

void Arbiter::begin_delay() {
    const std::chrono::duration<double> delay = settings().shutdown_delay;
    spdlog::info("Handling signal: term; serving on for {} s (--shutdown-delay)", delay.count());
    log_sender(SIGTERM);
    life_.delay_until(SteadyClock::now() + settings().shutdown_delay);
}

void Arbiter::change_workers(const MasterSignalRow& signal, int change) {
    table_.want(std::clamp(table_.wanted() + change, 1, most_processes / 2));
    spdlog::info("Handling signal: {}; now {} {}", signal.name, table_.wanted(),
                 table_.wanted() == 1 ? "worker" : "workers");
}

void Arbiter::begin_reload() {
    if (!reload_start_) reload_start_ = {SteadyClock::now(), table_.generation()};
    life_.call_back();
    if (deployment_.probe_pid() == 0) report(ServiceManager::State::reloading);
    settle(deployment_.reload());
}

// Old workers may still finish what they have begun.
void Arbiter::log_end_of_reload(SteadyTime now) {
    if (!reload_start_ || reload_start_->generation == table_.generation() || !table_.is_complete()) return;
    const std::chrono::duration<double> took = now - reload_start_->time;
    spdlog::info("Reload done: {} new {} after {:.2f} s, {}", table_.wanted(),
                 table_.wanted() == 1 ? "worker serves" : "workers serve", took.count(), release().build->id());
    reload_start_.reset();
}

void Arbiter::reopen_logs() {
    change_error_log(settings().error_log);
    post_mortems_.forget();
    deployment_.reopen_access_logs();
    for (const auto& entry : table_.entries()) scoreboard_.tell(entry.slot, WorkerOrder::reopen_logs);
    if (stand_in_.pid() != 0) scoreboard_.tell(stand_in_slot, WorkerOrder::reopen_logs);
}

void Arbiter::begin_upgrade() {
    if (const auto obstacle = upgrade_.obstacle()) {
        return spdlog::warn("Handling signal: usr2; refused: {}", *obstacle);
    }
    // What it comes to decides which sockets there are to hand over.
    if (const Rollout& rollout = deployment_.rollout(); rollout.is_under_way() || rollout.unsettled()) {
        return spdlog::warn("Handling signal: usr2; refused: a reload is under way");
    }
    try {
        upgrade_.start(around_.start, release().listeners, settings().daemon);
        spdlog::info("Handling signal: usr2; started the new master (pid:{})", upgrade_.successor());
    } catch (const std::system_error& error) {
        spdlog::error("Handling signal: usr2; cannot start a new master: {}", error.what());
    }
}

void Arbiter::stop(StopKind kind) {
    life_.stop();
    if (upgrade_.is_alone()) {
        for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).drain_backlog();
    }
    // The workers have their own copies and serve what waits; from the last one's end on, connections are refused.
    deployment_.stop();
    table_.stop(kind, SteadyClock::now());
}

// ---- Workers

void Arbiter::settle(const Deployment::Outcomes& outcomes) {
    for (const auto outcome : outcomes) {
        switch (outcome) {
            case Deployment::Outcome::adopted:
                life_.loaded();
                // Of one that was queued, nobody has noted the begin.
                if (deployment_.rollout().newest_generation() > 1 && !reload_start_) {
                    reload_start_ = {SteadyClock::now(), table_.generation()};
                }
                table_.begin_generation(deployment_.rollout().newest_generation());
                apply_policy();
                break;
            case Deployment::Outcome::kept:
                reload_start_.reset();
                if (table_.wanted() == 0) apply_policy(); // none are left to serve on
                break;
            case Deployment::Outcome::rolled_back:
                reload_start_.reset();
                table_.roll_back();
                apply_policy();
                forget_unused_releases();
                break;
            case Deployment::Outcome::gave_up:
                life_.fail(deployment_.failure());
                stop(StopKind::quick);
                break;
        }
    }
}

void Arbiter::apply_policy() {
    table_.set_policy({settings().boot_timeout, settings().worker.graceful_timeout, settings().reload_surge});
    table_.want(life_.is(MasterState::retired) ? 0 : settings().workers);
}

void Arbiter::forget_unused_releases() {
    deployment_.rollout().forget_unused([this](unsigned generation) { return table_.has_workers(generation); });
}

WorkerTable::RequestDeadline Arbiter::request_deadline() const {
    return [this](int slot) -> std::optional<SteadyTime> {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        const auto deadline = board.request_deadline();
        return deadline ? std::optional(suspension_.extended(*deadline, board.began())) : std::nullopt;
    };
}

// Not while another master serves on the same sockets: it can do better.
void Arbiter::supervise_stand_in(SteadyTime now) {
    const bool is_wanted = table_.cannot_serve() && upgrade_.is_alone();
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

void Arbiter::start_stand_in(SteadyTime now) {
    try {
        scoreboard_.prepare(stand_in_slot);
        const pid_t pid = cppcorn::start_stand_in(release(), stand_in_slot, scoreboard_, pipes_, around_.title);
        stand_in_.started(pid, table_.generation());
    } catch (const std::system_error& error) {
        spdlog::error("Cannot start a stand-in: {}", error.what());
        stand_in_.start_failed(now);
    }
}

bool Arbiter::spawn(int slot, SteadyTime now) {
    deployment_.before_spawn();
    try {
        scoreboard_.prepare(slot);
        table_.spawned(slot, start_worker(release(), slot, scoreboard_, pipes_, around_.title), now);
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
void Arbiter::send(const SignalCommand& command) {
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

void Arbiter::worker_ready(pid_t pid) {
    const WorkerEntry* entry = table_.entry_of(pid);
    if (entry == nullptr || entry->state != WorkerState::starting) return;
    const SteadyTime now = SteadyClock::now();
    const std::chrono::duration<double> took = now - entry->spawned_at;
    table_.ready(pid, now);
    spdlog::info("Worker ready (pid:{}), after {:.2f} s", pid, took.count());
    log_end_of_reload(now);
}

void Arbiter::probe_exited(int wait_status, long peak_kib) {
    Death death = deployment_.probe()->death(wait_status, peak_kib);
    if (is_crash(wait_status, death.crash)) post_mortems_.add(std::move(death), SteadyClock::now());
    settle(deployment_.probe_exited(wait_status));
}

void Arbiter::worker_exited(pid_t pid, int wait_status, long peak_kib) {
    // As PID 1 the master inherits orphans: a pid that the table does not know is one of those, and done with.
    const WorkerEntry* known = table_.entry_of(pid);
    if (known == nullptr) return;
    ScoreboardSlot& board = scoreboard_.slot(known->slot);
    const SteadyTime now = SteadyClock::now();
    const auto entry = table_.exited(pid, board.requests() > 0 || board.busy(), now);
    if (entry->state != WorkerState::retiring) last_failure_ = text_of_end(wait_status);
    if (entry->state == WorkerState::starting && WIFEXITED(wait_status)) {
        start_failure_ = WEXITSTATUS(wait_status) == worker_exit_no_app ? exit_no_app : exit_no_worker;
    }
    const bool asked_to = entry->state == WorkerState::retiring || life_.stopping();
    const Release& its_release = *deployment_.rollout().release_of(entry->generation);
    EndClues clues{oom_kills_.recent(now), false, ""};
    if (Death death = death_of_worker(*entry, wait_status, board, scoreboard_.crash(entry->slot), peak_kib);
        is_crash(wait_status, death.crash)) {
        death.identity = its_release.identity;
        clues.has_crashed = true;
        clues.repeat = post_mortems_.add(std::move(death), now);
    }
    log_worker_end(*entry, asked_to, wait_status, board, clues);
    log_lost_request(board, *its_release.access_log);
    scoreboard_.vacate(entry->slot);
    forget_unused_releases();
}

// ---- The masters before and after this one

void Arbiter::successor_exited(int wait_status) {
    const bool is_clean = upgrade_.successor_exited(wait_status, release().listeners, life_.ending());
    deployment_.remove_successors_pidfile();
    if (life_.ending()) {
        if (!is_clean) life_.fail(exit_no_worker);
    } else if (life_.call_back()) {
        spdlog::info("The workers come back");
        apply_policy();
    }
}

void Arbiter::become_the_master() {
    upgrade_.predecessor_exited(release().listeners);
    deployment_.update_pidfile();
    around_.service_manager.take_over();
}

// Only the one that is looked after reports.
void Arbiter::report(ServiceManager::State state) {
    if (upgrade_.has_predecessor()) return;
    around_.service_manager.update(state, service_status(table_));
    around_.service_manager.ping(SteadyClock::now(), !table_.cannot_serve());
}

} // namespace cppcorn

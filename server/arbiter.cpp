#include "server/arbiter.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "server/supervision/worker_end.hpp"
#include "workers/master_link.hpp"
#include "workers/worker.hpp"

namespace cppcorn {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto shortest_pause = std::chrono::seconds(1); // of the master's that counts as one; less is a busy machine

} // namespace

Arbiter::Arbiter(std::shared_ptr<Release> release, std::optional<Predecessor> predecessor, Surroundings surroundings)
    : around_(surroundings),
      signals_(signals_used(ProcessKind::master, SignalUse::handled)),
      pipes_(MasterPipes::open()),
      scoreboard_(most_processes),
      table_(most_processes),
      release_(std::move(release)),
      predecessor_(std::move(predecessor)) {
    ignore_signals(ProcessKind::master);
}

int Arbiter::run() {
    start();
    while (!finished()) {
        reap();
        supervise();
        wait();
        handle_signals();
        read_notices();
    }
    shut_down();
    return exit_code_;
}

void Arbiter::start() {
    around_.title.set("cppcorn: master [" + settings().display_name() + "]");
    // The old master has seen to it that there is one new master only: whatever is there is left over.
    if (predecessor_ && !settings().pidfile.empty()) ::unlink(pidfile_path().c_str());
    if (!settings().pidfile.empty()) pidfile_ = std::make_unique<Pidfile>(pidfile_path());
    spdlog::info("Starting cppcorn {}", CPPCORN_VERSION);
    if (predecessor_) spdlog::info("Taking over the sockets of the master with pid {}", predecessor_->pid);
    log_listeners({});
    spdlog::info("Using worker: {}", settings().worker_class);
    begin_probe(release_);
}

bool Arbiter::finished() const {
    return table_.stopping() && table_.empty() && !probe_;
}

void Arbiter::shut_down() {
    if (successor_ != 0) around_.service_manager.hand_over(successor_);
    spdlog::info("Shutting down: Master");
}

// ---- The loop's steps

void Arbiter::reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (probe_ && pid == probe_->pid()) {
            probe_exited(status);
        } else if (pid == successor_) {
            successor_exited(status);
        } else {
            worker_exited(pid, status);
        }
    }
}

void Arbiter::supervise() {
    const Time now = Clock::now();
    if (probe_ && now >= probe_->deadline()) probe_->kill();
    if (now >= stop_at_) {
        spdlog::info("The shutdown delay is over");
        stop(StopKind::graceful);
    }
    if (watch_) reload_if_changed(now);
    if (started_ && table_.hopeless() && !table_.stopping()) give_up();
    const WorkerCommands commands = table_.tick(now, request_deadline());
    for (const auto& command : commands.signals) send(command);
    for (const int slot : commands.spawns) {
        if (!spawn(slot, now)) break;
    }
    report(state());
}

void Arbiter::wait() {
    const Time now = Clock::now();
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
                        {predecessor_ ? predecessor_->process.get() : -1, POLLIN, 0},
                        {watch_ ? watch_->fd() : -1, POLLIN, 0}};
    ::poll(entries, std::size(entries), timeout_ms);
    if (next) note_pause(now, *next, Clock::now());
    if (entries[2].revents != 0) become_the_master();
    if (entries[3].revents != 0) watch_->take_changes(Clock::now());
}

// A master that was stopped, or lay in a suspended machine with its workers, finds deadlines passed that nobody could
// meet.
void Arbiter::note_pause(Time wait_began, Time should_have_woken, Time now) {
    if (now < should_have_woken + shortest_pause) return;
    pause_ = now - wait_began; // it may have begun at once
    pause_end_ = now;
    table_.postpone(pause_);
    spdlog::warn("The master did not run for {:.1f} s; deadlines are put off by that much",
                 std::chrono::duration<double>(pause_).count());
}

// A worker begins a request without telling: what is idle now can be overdue one timeout from now, not sooner.
std::optional<Arbiter::Time> Arbiter::next_wake(Time now) const {
    Time next = std::min(stop_at_, report_due());
    if (watch_) next = std::min(next, watch_->due());
    if (const auto tick = table_.next_tick(now, request_deadline())) next = std::min(next, *tick);
    if (settings().worker.timeout.count() > 0 && !table_.empty())
        next = std::min(next, now + settings().worker.timeout);
    if (probe_) next = std::min(next, probe_->deadline());
    if (next == Time::max()) return std::nullopt;
    return next;
}

void Arbiter::handle_signals() {
    const auto taken = signals_.take();
    if (taken.contains(SIGTTIN)) handle_ttin(taken.count(SIGTTIN));
    if (taken.contains(SIGTTOU)) handle_ttou(taken.count(SIGTTOU));
    if (taken.contains(SIGUSR1)) handle_usr1();
    if (taken.contains(SIGUSR2)) handle_usr2();
    if (taken.contains(SIGWINCH)) handle_winch();
    if (taken.contains(SIGHUP)) handle_hup();
    if (taken.contains(SIGTERM)) handle_term();
    if (taken.contains(SIGINT)) handle_int_or_quit(SIGINT);
    if (taken.contains(SIGQUIT)) handle_int_or_quit(SIGQUIT);
}

void Arbiter::read_notices() {
    Notice notice;
    while (::read(pipes_.notices_read.get(), &notice, sizeof notice) == sizeof notice) {
        if (notice.version != Notice::current_version) continue;
        if (notice.kind == Notice::ready) table_.ready(notice.pid, Clock::now());
        if (notice.kind == Notice::wants_replacement) table_.wants_replacement(notice.pid);
    }
    if (!table_.settled()) return;
    previous_.reset();
    if (!around_.daemon.serves(settings())) return;
    reopen_error_log(); // one to the terminal has ended
    release_->access_log->reopen();
}

// ---- Signals

void Arbiter::handle_term() {
    if (is_stopping()) return;
    if (settings().shutdown_delay.count() == 0 || table_.serving() == 0) {
        spdlog::info("Handling signal: term");
        stop(StopKind::graceful);
        return;
    }
    const std::chrono::duration<double> delay = settings().shutdown_delay;
    spdlog::info("Handling signal: term; serving on for {} s (--shutdown-delay)", delay.count());
    stop_at_ = Clock::now() + settings().shutdown_delay;
}

void Arbiter::handle_int_or_quit(int signal) {
    spdlog::info("Handling signal: {}", signal == SIGINT ? "int" : "quit");
    stop(StopKind::quick);
}

void Arbiter::handle_ttin(unsigned count) {
    if (!started_) return;
    retired_ = false;
    const int more = static_cast<int>(std::min<unsigned>(count, most_processes));
    table_.want(std::min(table_.wanted() + more, most_processes / 2));
    spdlog::info("Handling signal: ttin; now {} workers", table_.wanted());
}

void Arbiter::handle_ttou(unsigned count) {
    if (!started_ || retired_) return;
    const int fewer = static_cast<int>(std::min<unsigned>(count, most_processes));
    table_.want(std::max(table_.wanted() - fewer, 1));
    spdlog::info("Handling signal: ttou; now {} workers", table_.wanted());
}

void Arbiter::handle_usr1() {
    spdlog::info("Handling signal: usr1");
    reopen_error_log();
    release_->access_log->reopen();
    give_logs(*release_); // before the workers open them
    for (const auto& entry : table_.entries()) ::kill(entry.pid, SIGUSR1);
}

void Arbiter::stop(StopKind kind) {
    if (probe_) probe_->kill();
    reload_again_ = false;
    watch_.reset();
    stop_at_ = Time::max();
    if (is_alone()) {
        for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).drain_backlog();
    }
    // The workers have their own copies and serve what waits; from the last one's end on, connections are refused.
    if (!table_.stopping()) release_->listeners.clear();
    table_.stop(kind, Clock::now());
}

// ---- Workers

WorkerTable::RequestDeadline Arbiter::request_deadline() const {
    return [this](int slot) -> std::optional<Time> {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        if (!board.busy()) return std::nullopt;
        const Time deadline = board.deadline();
        return deadline == Time::max() || board.began() >= pause_end_ ? deadline : deadline + pause_;
    };
}

bool Arbiter::spawn(int slot, Time now) {
    scoreboard_.slot(slot).clear();
    try {
        const pid_t pid = fork_child(worker_orphan_grace, release_->identity, [&] {
            // What this worker does not need, it must not keep open, least of all old listeners.
            previous_.reset();
            probe_.reset();
            watch_.reset();
            predecessor_.reset();
            around_.daemon.forget();
            around_.service_manager.forget();
            return worker_main(*release_, slot, scoreboard_.slot(slot), pipes_, around_.title);
        });
        table_.spawned(slot, pid, now);
        if (std::exchange(fork_failing_, false)) spdlog::info("Workers can be started again");
        return true;
    } catch (const std::system_error& error) {
        if (!std::exchange(fork_failing_, true)) {
            spdlog::error("Cannot start a worker: {}; trying again, ever more slowly", error.what());
        }
        table_.spawn_failed(now);
        return false;
    }
}

void Arbiter::send(const SignalCommand& command) {
    if (command.signal == SIGABRT) {
        spdlog::critical("WORKER TIMEOUT (pid:{}){}", command.pid,
                         request_under_way(scoreboard_.slot(command.slot), Clock::now()));
    } else if (command.signal == SIGKILL) {
        spdlog::warn("Killing worker (pid:{}), which did not leave in time", command.pid);
    }
    ::kill(command.pid, command.signal);
}

void Arbiter::worker_exited(pid_t pid, int wait_status) {
    // As PID 1 the master inherits orphans: a pid that the table does not know is one of those, and done with.
    int slot = -1;
    for (const auto& entry : table_.entries()) {
        if (entry.pid == pid) slot = entry.slot;
    }
    if (slot < 0) return;
    const bool served = scoreboard_.slot(slot).requests() > 0 || scoreboard_.slot(slot).busy();
    const auto entry = table_.exited(pid, served, Clock::now());
    if (entry->state == WorkerState::starting && WIFEXITED(wait_status)) {
        last_start_failure_ = WEXITSTATUS(wait_status) == exit_no_app ? exit_no_app : exit_no_worker;
    }
    const bool asked_to = entry->state == WorkerState::retiring || table_.stopping();
    log_worker_end(*entry, asked_to, wait_status, scoreboard_.slot(slot));
    log_lost_request(scoreboard_.slot(slot), *release_->access_log);
    scoreboard_.slot(slot).clear();
}

} // namespace cppcorn

#include "server/supervision/workforce.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/log/log_loss.hpp"
#include "base/master_link.hpp"
#include "server/process/hosting.hpp"
#include "server/supervision/interpreter_stack.hpp"
#include "server/supervision/slow_request.hpp"
#include "server/supervision/worker_end.hpp"
#include "workers/worker.hpp"

namespace cppcorn {
namespace {

constexpr std::chrono::seconds heartbeat_pause(1);

} // namespace

Workforce::Workforce(Deployment& deployment, PostMortems& post_mortems, MoveQueue queue, ProcessTitle& title)
    : deployment_(deployment),
      post_mortems_(post_mortems),
      title_(title),
      pipes_(MasterPipes::open()),
      post_(OrderPost::open()),
      queue_(std::move(queue)),
      scoreboard_(most_processes + 2),
      board_(1),
      table_(most_processes),
      helpers_(scoreboard_, pipes_, title_),
      status_(scoreboard_, status_slot, {most_processes, stand_in_slot}, board(), {pipes_, post_}, title_) {
    if (!deployment_.current().settings().statsd_host.empty()) status_.begin_statsd(SteadyClock::now());
    if (hosting() != nullptr) make_stack_file();
    orders().begin(static_cast<std::uint64_t>(::getpid()));
    deployment_.molds().use(plan_of_molds(means()));
    count_lost_lines(&board().dropped_log_lines);
    count_log_lines(&board().log_lines);
}

// What the master logs after that is counted nowhere.
Workforce::~Workforce() {
    count_lost_lines(nullptr);
    count_log_lines(nullptr);
}

void Workforce::dismiss_helpers(pid_t successor) {
    status_.end(SteadyClock::now());
    helpers_.dismiss(deployment_.current(), successor);
    status_.dismiss();
}

// ---- How many are wanted, and of which generation

void Workforce::begin_generation(unsigned generation) {
    // Of a reload that was queued, nobody has noted the begin.
    if (generation > 1) reload_.begin(table_.generation(), SteadyClock::now());
    table_.begin_generation(generation);
    slow_.look_anew();
    helpers_.renew_lookout();
    if (generation == 1) return;
    status_.renew();
    set_draining(false);
    // The master's own is that of the new settings already.
    if (std::exchange(log_level_, std::nullopt)) tell_log_level(deployment_.current().settings().error_log.level);
}

void Workforce::roll_back() {
    reload_.drop();
    table_.roll_back();
    slow_.look_anew();
    helpers_.renew_lookout();
    status_.renew();
}

void Workforce::drain_backlogs() {
    for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).drain_backlog();
}

void Workforce::end_connections() {
    for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).end_connections();
}

void Workforce::tell_all(WorkerOrder order) {
    if (order == WorkerOrder::reopen_logs) {
        helpers_.renew_lookout();
        status_.reopen_logs();
    }
    for (const auto& entry : table_.entries()) scoreboard_.tell(entry.slot, order);
    if (stand_in_.pid() != 0) scoreboard_.tell(stand_in_slot, order);
    if (order == WorkerOrder::reopen_logs && log_level_) set_log_level(*log_level_);
}

// The log was reopened before, by the new worker's start or by an order, with the level of the settings.
void Workforce::tell_log_level(LogLevel level) {
    const auto tell = [&](int slot) {
        scoreboard_.slot(slot).orders().give_log_level(static_cast<unsigned>(level));
        scoreboard_.bell(slot).ring();
    };
    for (const auto& entry : table_.entries()) tell(entry.slot);
    if (stand_in_.pid() != 0) tell(stand_in_slot);
    if (status_.is_serving()) tell(status_slot);
}

void Workforce::set_log_level(LogLevel level) {
    log_level_ = level;
    change_log_level(level);
    helpers_.renew_lookout();
    tell_log_level(level);
}

void Workforce::set_draining(bool drains) {
    board().draining.set(drains ? 1 : 0);
    for (const auto& entry : table_.entries()) scoreboard_.slot(entry.slot).set_draining(drains);
    if (stand_in_.pid() != 0) scoreboard_.slot(stand_in_slot).set_draining(drains);
}

void Workforce::drain() {
    set_draining(true);
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
    if (reload_.log_end(table_, deployment_.current().build->id(), now)) note_reload(ReloadResult::done);
}

void Workforce::exited(pid_t pid, int wait_status, const rusage& usage) {
    if (pid == stand_in_.pid()) return stand_in_exited(wait_status);
    if (pid == status_.pid()) return status_.exited(wait_status, usage, post_mortems_, SteadyClock::now());
    worker_exited(pid, wait_status, usage);
}

void Workforce::stand_in_exited(int wait_status) {
    if (!table_.stopping() && table_.cannot_serve()) spdlog::error("The stand-in {}", text_of_end(wait_status));
    stand_in_.exited(SteadyClock::now());
    vacate_slot(stand_in_slot);
}

void Workforce::worker_exited(pid_t pid, int wait_status, const rusage& usage) {
    const WorkerEntry* known = table_.entry_of(pid);
    if (known == nullptr) return helpers_.exited(pid, wait_status, table_.entries());
    const ScoreboardSlot& board = scoreboard_.slot(known->slot);
    const SteadyTime now = SteadyClock::now();
    const auto entry = table_.exited(pid, board.requests() > 0 || board.busy(), now);
    if (entry->state != WorkerState::retiring) last_failure_ = text_of_end(wait_status);
    if (entry->state == WorkerState::starting && WIFEXITED(wait_status)) {
        start_failure_ = WEXITSTATUS(wait_status) == worker_exit_no_app ? exit_no_app : exit_no_worker;
    }
    const bool was_trying = deployment_.first_worker_tries() && entry->state == WorkerState::starting;
    if (was_trying) {
        first_worker_failed_ = true;
        if (board.phase() == WorkerPhase::loading) start_failure_ = exit_no_app;
    }
    // One that could not load the app has said why.
    const bool has_said_why = was_trying && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == worker_exit_no_app;
    if (has_said_why) {
        note_end(*entry, wait_status, usage, {});
    } else {
        log_end(*entry, wait_status, usage, now);
    }
    helpers_.worker_ended(entry->slot);
    vacate_slot(entry->slot);
    forget_unused_releases();
}

void Workforce::log_end(const WorkerEntry& entry, int wait_status, const rusage& usage, SteadyTime now) {
    const ScoreboardSlot& board = scoreboard_.slot(entry.slot);
    const Release& its_release = *deployment_.rollout().release_of(entry.generation);
    EndClues clues{oom_kills_.recent(now), false, ""};
    if (Death death = death_of_worker(entry, wait_status, board, scoreboard_.crash(entry.slot), usage.ru_maxrss);
        is_crash(wait_status, death.crash)) {
        death.identity = its_release.identity;
        clues.has_crashed = true;
        clues.repeat = post_mortems_.add(std::move(death), now);
    }
    note_end(entry, wait_status, usage, clues);
    log_worker_end(entry, was_asked_to_end(entry), wait_status, board, clues);
    log_lost_request(board, *its_release.access_log);
}

void Workforce::note_end(const WorkerEntry& entry, int wait_status, const rusage& usage, const EndClues& clues) {
    const ScoreboardSlot& slot = scoreboard_.slot(entry.slot);
    const EndCause cause = cause_of_end(entry, was_asked_to_end(entry), wait_status, clues);
    show_end(board(), end_of_worker(entry, cause, wait_status, slot), usage);
    if (slot.busy()) board().lost_requests.add();
}

void Workforce::show(MasterState state, bool shows_status, SteadyTime now) {
    board().heartbeat_ns.set(board_time(now));
    board().state.set(static_cast<std::uint64_t>(state));
    board().wanted.set(static_cast<std::uint64_t>(table_.wanted()));
    show_workers(board(), table_.entries());
    status_.supervise(deployment_.current(), shows_status, now);
    heartbeat_due_ = status_.is_serving() ? now + heartbeat_pause : SteadyTime::max();
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

void Workforce::watch_requests(SteadyTime now) {
    if (slow_request().count() == 0 || now < slow_.due()) return;
    const auto slow = slow_.look(now, slow_request(), table_.entries(), [this](int slot) -> SlowWatch::Sight {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        return {board.busy(), board.began(), board.requests()};
    });
    board().slow_requests.set(slow_.count());
    for (const auto& worker : slow) {
        const Release& its_release = *deployment_.rollout().release_of(worker.generation);
        tell_of_slow_request(worker, scoreboard_.slot(worker.slot), its_release, post_mortems_);
    }
}

void Workforce::supervise(SteadyTime now, bool may_stand_in) {
    table_.let_spawn(deployment_.can_spawn());
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
    SteadyTime next = std::min({stand_in_.due(), helpers_.due(), status_.due(), heartbeat_due_});
    if (const auto tick = table_.next_tick(now, request_deadline())) next = std::min(next, *tick);
    if (slow_request().count() > 0 && !table_.empty()) next = std::min(next, slow_.due());
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
        table_.spawned(slot, start(slot), now);
        // A mold has the level that there was before.
        if (log_level_) scoreboard_.slot(slot).orders().give_log_level(static_cast<unsigned>(*log_level_));
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

pid_t Workforce::start(int slot) {
    const Release& release = deployment_.current();
    if (!release.settings().preload) {
        return start_worker(release, deployment_.first_worker_tries(), slot, means());
    }
    return release.mold->fork_worker(slot, scoreboard_.bell(slot).fd(), scoreboard_.understudy_bell(slot).fd());
}

// Only what ends a worker is sent as a signal: any other would break off what the app waits for (decision 26).
void Workforce::send(const SignalCommand& command) {
    if (command.signal == SIGTERM) return scoreboard_.tell(command.slot, WorkerOrder::retire);
    if (command.signal == SIGQUIT) return scoreboard_.tell(command.slot, WorkerOrder::exit);
    const RequestUnderWay under_way(scoreboard_.slot(command.slot));
    const LoggedRequest logged(under_way.facts());
    if (command.signal == SIGABRT) {
        const std::string request = request_under_way(scoreboard_.slot(command.slot), SteadyClock::now());
        spdlog::critical("WORKER TIMEOUT (pid:{}){}{}", command.pid, request, command.reason);
    } else if (command.signal == SIGKILL) {
        spdlog::warn("Killing worker (pid:{}), which {}", command.pid, command.reason);
    }
    ::kill(command.pid, command.signal);
    if (command.signal == SIGABRT) ::kill(command.pid, SIGCONT); // also one that was stopped tells where it was
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
        const pid_t pid = cppcorn::start_stand_in(deployment_.current(), stand_in_slot, means());
        stand_in_.started(pid, table_.generation());
    } catch (const std::system_error& error) {
        spdlog::error("Cannot start a stand-in: {}", error.what());
        stand_in_.start_failed(now);
    }
}

void Workforce::prepare_slot(int slot, Scoreboard::Understudy understudy) {
    scoreboard_.prepare(slot, understudy);
    scoreboard_.slot(slot).set_draining(board().draining.value() != 0);
    helpers_.slot_changed(slot);
}

void Workforce::vacate_slot(int slot) {
    scoreboard_.vacate(slot);
    helpers_.slot_changed(slot);
}

} // namespace cppcorn

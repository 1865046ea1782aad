#include "server/arbiter.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/signal_sender.hpp"
#include "base/signals.hpp"
#include "server/settings/cpu_count.hpp"
#include "server/supervision/service_report.hpp"

namespace cppcorn {

namespace {

constexpr int pause_after_error_ms = 100;

void log_sender(int signal) {
    if (signal == 0) return;
    if (const auto sender = last_signal_sender(signal)) {
        spdlog::info("{} was sent by {}", signal_name(signal), text_of(*sender));
    }
}

} // namespace

Arbiter::Arbiter(std::shared_ptr<Release> release, std::optional<Predecessor> predecessor, MoveQueue queue,
                 Surroundings surroundings)
    : around_(surroundings),
      signals_(signals_used(ProcessKind::master, SignalUse::handled)),
      upgrade_(std::move(predecessor)),
      deployment_(std::move(release), around_.start, upgrade_, around_.title),
      post_mortems_([this](pid_t pid, const std::string& text) {
          spdlog::error("{}", text);
          workforce_.note_report(pid, text);
      }),
      workforce_(deployment_, post_mortems_, std::move(queue), around_.title),
      steering_(life_, deployment_, workforce_, post_mortems_,
                [this](MasterAction action, const std::string& cause) { act(action, cause, 0); }) {
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
        attempt(&Arbiter::take_orders);
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
    return life_.stopping() && workforce_.empty() && deployment_.probe_pid() == 0 && deployment_.molds().empty();
}

void Arbiter::shut_down() {
    if (upgrade_.successor() != 0) around_.service_manager.hand_over(upgrade_.successor());
    workforce_.dismiss_helpers(upgrade_.successor());
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
        } else if (deployment_.molds().knows(pid)) {
            mold_exited(pid, status, usage.ru_maxrss);
        } else if (pid == upgrade_.successor()) {
            successor_exited(status);
        } else if (pid == post_mortems_.reader_pid()) {
            post_mortems_.reader_exited();
        } else {
            workforce_.exited(pid, status, usage);
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
    workforce_.watch_loops(now);
    workforce_.watch_requests(now);
    if (newest_cannot_start() && !life_.stopping()) {
        settle(deployment_.workers_cannot_start(workforce_.start_failure()));
    }
    workforce_.supervise(now, upgrade_.is_alone());
    workforce_.show(life_.state(), upgrade_.shows_status(workforce_.table().serving() > 0), now);
    if (workforce_.shows_status()) upgrade_.note_status_process();
    steering_.supervise(now);
    report(service_state(life_, workforce_.table(), deployment_.rollout(), upgrade_.successor() != 0));
}

bool Arbiter::newest_cannot_start() const {
    const WorkerTable& table = workforce_.table();
    const bool has_no_mold = deployment_.molds().have_failed() && !table.settled();
    return table.hopeless() || workforce_.first_worker_failed() || has_no_mold;
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
                        {workforce_.notices_fd(), POLLIN, 0},
                        {workforce_.orders_fd(), POLLIN, 0},
                        {upgrade_.predecessor_fd(), POLLIN, 0},
                        {deployment_.watch_fd(), POLLIN, 0},
                        {deployment_.probe_fd(), POLLIN, 0},
                        {deployment_.molds().probe_fd(), POLLIN, 0}};
    ::poll(entries, std::size(entries), timeout_ms);
    if (next) workforce_.master_waited(now, *next, SteadyClock::now());
    if (entries[3].revents != 0) become_the_master();
    if (entries[4].revents != 0) deployment_.take_changes(SteadyClock::now());
}

std::optional<SteadyTime> Arbiter::next_wake(SteadyTime now) const {
    SteadyTime next =
        std::min({life_.stop_at(), deployment_.due(), workforce_.due(now), post_mortems_.due(), steering_.due()});
    if (!upgrade_.has_predecessor()) next = std::min(next, around_.service_manager.due());
    if (next == SteadyTime::max()) return std::nullopt;
    return next;
}

void Arbiter::read_notices() {
    workforce_.read_notices();
    if (!workforce_.table().settled()) return;
    const bool others_waited = deployment_.first_worker_tries();
    deployment_.settled();
    if (others_waited) apply_policy();
    workforce_.forget_unused_releases();
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

void Arbiter::take_orders() {
    steering_.take_orders();
}

// ---- Signals and orders

void Arbiter::handle(const MasterSignalRow& row, unsigned count) {
    // Terminals send it when their size changes.
    if (row.signal == SIGWINCH && has_terminal()) {
        return spdlog::debug("Handling signal: winch; ignored: this master has a terminal");
    }
    const bool can_delay = settings().shutdown_delay.count() > 0 && workforce_.table().serving() > 0;
    const auto [action, reason] = life_.signalled(row.signal, can_delay);
    const int times = static_cast<int>(std::min<unsigned>(count, most_workers));
    switch (action) {
        case MasterAction::stop_gracefully:
        case MasterAction::stop_quickly:
        case MasterAction::delay_stop:
        case MasterAction::reload:
        case MasterAction::reopen_logs:
            return act(action, fmt::format("Handling signal: {}", row.name), row.signal);
        case MasterAction::add_workers:
            return change_workers(row, times);
        case MasterAction::remove_workers:
            return change_workers(row, -times);
        case MasterAction::upgrade:
            return begin_upgrade();
        case MasterAction::retire_workers:
            spdlog::info("Handling signal: {}; the workers retire, the master stays", row.name);
            if (!upgrade_.other_takes_connections()) workforce_.end_connections();
            return apply_policy();
        case MasterAction::ignore:
            return spdlog::info("Handling signal: {}; ignored: {}", row.name, reason);
        case MasterAction::refuse:
            return spdlog::warn("Handling signal: {}; refused: {}", row.name, reason);
    }
}

void Arbiter::act(MasterAction action, const std::string& cause, int signal) {
    if (action == MasterAction::delay_stop) {
        begin_delay(cause);
        return log_sender(signal);
    }
    spdlog::info("{}", cause);
    if (action == MasterAction::reload) return begin_reload();
    if (action == MasterAction::reopen_logs) return reopen_logs();
    log_sender(signal);
    if (action == MasterAction::stop_gracefully) return stop(StopKind::graceful);
    post_mortems_.hurry();
    stop(StopKind::quick);
}

void Arbiter::begin_delay(const std::string& cause) {
    const std::chrono::duration<double> delay = settings().shutdown_delay;
    spdlog::info("{}; serving on for {} s (--shutdown-delay)", cause, delay.count());
    life_.delay_until(SteadyClock::now() + settings().shutdown_delay);
}

void Arbiter::change_workers(const MasterSignalRow& signal, int change) {
    const int wanted = std::clamp(workforce_.table().wanted() + change, 1, most_workers);
    workforce_.want(wanted);
    spdlog::info("Handling signal: {}; now {} {}", signal.name, wanted, wanted == 1 ? "worker" : "workers");
}

void Arbiter::begin_reload() {
    workforce_.reload_asked(SteadyClock::now());
    life_.call_back();
    if (deployment_.probe_pid() == 0) report(ServiceManager::State::reloading);
    settle(deployment_.reload());
}

void Arbiter::reopen_logs() {
    change_error_log(settings().error_log);
    post_mortems_.forget();
    deployment_.reopen_access_logs();
    workforce_.tell_all(WorkerOrder::reopen_logs);
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
        upgrade_.start(around_.start, release(), workforce_.queue());
        spdlog::info("Handling signal: usr2; started the new master (pid:{})", upgrade_.successor());
    } catch (const std::system_error& error) {
        spdlog::error("Handling signal: usr2; cannot start a new master: {}", error.what());
    }
}

void Arbiter::stop(StopKind kind) {
    life_.stop();
    if (upgrade_.is_alone()) workforce_.drain_backlogs();
    if (!upgrade_.other_takes_connections()) workforce_.end_connections();
    // The workers have their own copies and serve what waits; from the last one's end on, connections are refused.
    deployment_.stop();
    workforce_.stop(kind, SteadyClock::now());
}

// ---- Releases

void Arbiter::settle(const Deployment::Outcomes& outcomes) {
    for (const auto outcome : outcomes) {
        switch (outcome) {
            case Deployment::Outcome::adopted:
                life_.loaded();
                workforce_.begin_generation(deployment_.rollout().newest_generation());
                apply_policy();
                break;
            case Deployment::Outcome::kept:
                workforce_.keep_generation();
                workforce_.note_reload(ReloadResult::refused);
                if (workforce_.table().wanted() == 0) apply_policy(); // none are left to serve on
                break;
            case Deployment::Outcome::rolled_back:
                workforce_.roll_back();
                workforce_.note_reload(ReloadResult::rolled_back);
                apply_policy();
                workforce_.forget_unused_releases();
                break;
            case Deployment::Outcome::gave_up:
                life_.fail(deployment_.failure());
                stop(StopKind::quick);
                break;
        }
    }
}

void Arbiter::apply_policy() {
    workforce_.set_policy({settings().boot_timeout, settings().worker.graceful_timeout, settings().reload_surge});
    const int wanted = deployment_.first_worker_tries() ? 1 : settings().workers;
    workforce_.want(life_.is(MasterState::retired) ? 0 : wanted);
}

void Arbiter::probe_exited(int wait_status, long peak_kib) {
    Death death = deployment_.probe()->death(wait_status, peak_kib);
    if (is_crash(wait_status, death.crash)) post_mortems_.add(std::move(death), SteadyClock::now());
    settle(deployment_.probe_exited(wait_status));
}

void Arbiter::mold_exited(pid_t pid, int wait_status, long peak_kib) {
    Death death = deployment_.mold_exited(pid, wait_status, peak_kib);
    if (is_crash(wait_status, death.crash)) post_mortems_.add(std::move(death), SteadyClock::now());
}

// ---- The masters before and after this one

void Arbiter::successor_exited(int wait_status) {
    const bool is_clean = upgrade_.successor_exited(wait_status, all_listeners(release()), life_.ending());
    deployment_.remove_successors_pidfile();
    if (life_.ending()) {
        workforce_.end_connections(); // which it was to take
        if (!is_clean) life_.fail(exit_no_worker);
    } else if (life_.call_back()) {
        spdlog::info("The workers come back");
        apply_policy();
    }
}

void Arbiter::become_the_master() {
    upgrade_.predecessor_exited(all_listeners(release()));
    deployment_.update_pidfile();
    around_.service_manager.take_over();
}

// Only the one that is looked after reports.
void Arbiter::report(ServiceManager::State state) {
    if (upgrade_.has_predecessor()) return;
    around_.service_manager.update(state, service_status(workforce_.table()));
    around_.service_manager.ping(SteadyClock::now(), !workforce_.table().cannot_serve());
}

} // namespace cppcorn

#include "server/release/deployment.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "server/process/exit_codes.hpp"
#include "server/release/bridge_table.hpp"

namespace cppcorn {
namespace {

// Those that are not among the known ones.
void log_listeners(const Listeners& listeners, const Listeners& known) {
    for (const auto& listener : listeners) {
        if (std::find(known.begin(), known.end(), listener) != known.end()) continue;
        spdlog::info("Listening at: {} ({})", listener->text(), ::getpid());
    }
}

void log_status_listeners(const Listeners& listeners, const Listeners& known) {
    for (const auto& listener : listeners) {
        if (std::find(known.begin(), known.end(), listener) != known.end()) continue;
        spdlog::info("{} at: {} ({})", listener->is_private() ? "Control" : "Status", listener->text(), ::getpid());
        const std::string& host = listener->bound().host;
        if (host != "0.0.0.0" && host != "::") continue;
        spdlog::warn("--status-bind {}: whoever can reach this machine can read the service's requests and settings",
                     listener->address().setting());
    }
}

void log_difference(const AppBuild& build, const AppBuild::Difference& difference) {
    if (difference.is_gone) {
        const char* then = build.is_copied() ? "workers still run its copy" : "no worker can load it";
        spdlog::warn("{} is gone from the disk; {} ({})", difference.path, then, build.id());
    } else if (build.is_copied()) {
        spdlog::warn("{} on disk is not the build that runs ({}); SIGHUP loads what is there", difference.path,
                     build.id());
    } else {
        spdlog::error("{} on disk is not the build that was tried ({}), but new workers load it; SIGHUP tries it",
                      difference.path, build.id());
    }
}

// A file that is the same one, the workers' user may not be able to open again.
bool are_same(const ErrorLogOptions& one, const ErrorLogOptions& other) {
    const auto facts = [](const ErrorLogOptions& log) {
        return std::tie(log.path, log.level, log.capture_output, log.syslog, log.syslog_prefix, log.syslog_facility,
                        log.syslog_to, log.program);
    };
    return facts(one) == facts(other);
}

} // namespace

Deployment::Deployment(std::shared_ptr<Release> first, const StartContext& start, const Upgrade& upgrade,
                       ProcessTitle& title)
    : start_(start), upgrade_(upgrade), title_(title), rollout_(std::move(first)), molds_(title) {}

Deployment::Outcomes Deployment::start() {
    if (!pidfile_path().empty()) {
        pidfile_ = std::make_unique<Pidfile>(pidfile_path(), current().settings().guard.links);
        if (!upgrade_.has_predecessor()) remove_successors_pidfile();
    }
    spdlog::info("Starting cppcorn {}", CPPCORN_VERSION);
    if (upgrade_.has_predecessor()) {
        spdlog::info("Taking over the sockets of the old master (pid:{})", upgrade_.predecessor());
    }
    return carry_out(rollout_.start());
}

Deployment::Outcomes Deployment::reload() {
    return carry_out(rollout_.begin());
}

Deployment::Outcomes Deployment::workers_cannot_start(int exit_code) {
    if (first_worker_tries_) {
        failure_ = exit_code; // the worker's own line says why
        if (!current().settings().error_log.goes_to_stderr()) {
            std::fprintf(stderr, "cppcorn: the app cannot be started; the error log says why\n");
        }
    } else if (rollout_.unsettled()) {
        reload_failure_ = "the new workers cannot start; the error log says why";
        spdlog::error("Reload failed: the new workers cannot start; the old ones serve on");
    } else {
        spdlog::error("Giving up: no worker could start");
        failure_ = exit_code;
    }
    return carry_out(rollout_.hopeless());
}

void Deployment::stop() {
    if (probe_) probe_->kill();
    is_stopped_ = true;
    bind_retry_.stop();
    watch_.stop();
    rollout_.stop();
}

Deployment::Outcomes Deployment::probe_exited(int wait_status) {
    const auto error = probe_->fault(wait_status);
    const auto watched = probe_->watched();
    probe_.reset();
    if (rollout_.candidate() == nullptr) return {}; // the service has been told to end
    rollout_.candidate()->watched = watched;
    if (error) return reject(*error, exit_no_app);
    return carry_out(rollout_.passed());
}

Deployment::Outcomes Deployment::supervise(SteadyTime now) {
    molds_.supervise(in_use(), now);
    if (probe_ && probe_->has_loaded()) return mold_loaded();
    if (probe_ && now >= probe_->deadline()) probe_->kill();
    return now >= bind_retry_.due() ? try_to_bind() : Outcomes{};
}

Deployment::Outcomes Deployment::mold_loaded() {
    Release* const candidate = rollout_.candidate().get();
    if (candidate != nullptr) {
        molds_.settle(*candidate, *probe_);
    } else {
        molds_.let_go(*probe_); // the service has been told to end
    }
    probe_.reset();
    return candidate != nullptr ? carry_out(rollout_.passed()) : Outcomes{};
}

// Null: nothing is.
std::shared_ptr<Release> Deployment::in_use() const {
    return rollout_.has_adopted() && !is_stopped_ ? rollout_.current() : nullptr;
}

SteadyTime Deployment::due() const {
    const SteadyTime due = std::min({bind_retry_.due(), watch_.due(), molds_.due()});
    return probe_ ? std::min(probe_->deadline(), due) : due;
}

// Each with its own umask. Their paths are absolute, and old ones' directories are closed.
void Deployment::reopen_access_logs() {
    for (const auto& release : rollout_.releases()) {
        try {
            apply_umask(release->settings());
            release->access_log->reopen();
            if (release->mold) release->mold->tell(MoldOrder::Kind::reopen_logs);
        } catch (const std::exception& error) {
            spdlog::error("{}", error.what());
        }
    }
    if (probe_) probe_->tell(MoldOrder::Kind::reopen_logs);
    molds_.tell(MoldOrder::Kind::reopen_logs);
    return_to_current();
}

void Deployment::before_spawn() {
    AppBuild& build = *current().build;
    if (const auto difference = build.new_difference()) log_difference(build, *difference);
    try {
        build.restore();
    } catch (const std::exception& error) {
        spdlog::error("Cannot restore the copy of the app's build: {}", error.what());
    } catch (const FileChanges&) {
        spdlog::error("Cannot restore the copy of the app's build: it changes while it is read");
    }
}

void Deployment::update_pidfile() {
    move_pidfile(pidfile_, pidfile_path(), current().settings().guard.links);
}

void Deployment::remove_successors_pidfile() {
    if (pidfile_) remove_left_over_pidfile(pidfile_->path() + ".2", current().settings().guard.links);
}

// ---- The rollout's commands

Deployment::Outcomes Deployment::carry_out(const Rollout::Commands& commands) {
    Outcomes outcomes;
    const auto add = [&](const Outcomes& more) { outcomes.insert(outcomes.end(), more.begin(), more.end()); };
    for (const RolloutCommand command : commands) {
        switch (command) {
            case RolloutCommand::bind:
                add(bind());
                break;
            case RolloutCommand::probe:
                add(try_candidate());
                break;
            case RolloutCommand::adopt:
                add(adopt());
                break;
            case RolloutCommand::keep:
                add(keep());
                break;
            case RolloutCommand::roll_back:
                add(roll_back());
                break;
            case RolloutCommand::give_up:
                add({Outcome::gave_up});
                break;
        }
    }
    return outcomes;
}

Deployment::Outcomes Deployment::bind() {
    bind_retry_.stop();
    return try_to_bind();
}

Deployment::Outcomes Deployment::try_to_bind() {
    std::shared_ptr<Release> next = rollout_.current();
    try {
        if (rollout_.has_adopted()) {
            next = open_next_release(start_, current(), upgrade_.successor() != 0);
        } else {
            listen_first();
        }
    } catch (const BindError& error) {
        return_to_current();
        if (bind_retry_.again(error, SteadyClock::now())) return {};
        return reject(error.what(), exit_no_address);
    } catch (const std::exception& error) {
        bind_retry_.stop();
        return reject(error.what(), exit_settings);
    }
    bind_retry_.stop();
    return_to_current();
    return carry_out(rollout_.bound(std::move(next)));
}

void Deployment::listen_first() {
    Release& first = *rollout_.current();
    open_listeners(first, first.listeners);
    log_listeners(first.listeners, {});
    log_status_listeners(first.status_listeners, {});
    spdlog::info("Using worker: {}", first.settings().worker_class);
}

// Only at a start, where nobody is served meanwhile, and where there is something to try. What the probe tells besides,
// the master needs for --reload; and with --preload it stays.
bool Deployment::may_be_tried_by_worker() const {
    const Settings& settings = rollout_.candidate()->settings();
    const bool is_asked_for_more = rollout_.has_adopted() || settings.reload || settings.preload;
    return !is_asked_for_more && is_for_interpreter(settings) && is_known_to_interpreter(settings);
}

Deployment::Outcomes Deployment::try_candidate() {
    try {
        if (!rollout_.candidate()->build) fix_candidate();
    } catch (const std::exception& error) {
        return reject(error.what(), exit_no_app);
    }
    if (may_be_tried_by_worker()) {
        first_worker_tries_ = true;
        return carry_out(rollout_.passed());
    }
    try {
        const Release& candidate = *rollout_.candidate();
        probe_.emplace(candidate, &title_, SteadyClock::now(), molds_.plan_of(candidate));
        return {};
    } catch (const std::system_error& error) {
        return reject(error.what(), rollout_.has_adopted() ? exit_settings : exit_no_worker);
    }
}

// Whatever comes of it, the directory is that of the release in use again.
void Deployment::fix_candidate() {
    struct Return {
        Deployment& deployment;
        ~Return() { deployment.return_to_current(); }
    } const to_current{*this};
    enter(*rollout_.candidate());
    fix_build(*rollout_.candidate());
}

Deployment::Outcomes Deployment::adopt() {
    Release& next = *rollout_.candidate();
    try {
        enter(next);
        if (rollout_.has_adopted()) {
            spdlog::info("Reloading: new workers start");
            open_error_log(next.settings().error_log);
            const bool is_another = !are_same(next.settings().error_log, current().settings().error_log);
            if (next.mold && is_another) next.mold->tell(MoldOrder::Kind::change_log); // it has the old release's
        }
    } catch (const std::exception& error) {
        return reject(error.what(), exit_no_app);
    }
    if (rollout_.has_adopted()) {
        log_listeners(next.listeners, current().listeners);
        log_status_listeners(next.status_listeners, current().status_listeners);
    }
    const auto commands = rollout_.adopted();
    spdlog::info("App: {}", current().build->description());
    follow_settings();
    Outcomes outcomes{Outcome::adopted};
    for (const Outcome outcome : carry_out(commands)) outcomes.push_back(outcome);
    return outcomes;
}

Deployment::Outcomes Deployment::keep() {
    return_to_current();
    spdlog::error("Reload failed: the old workers serve on with the old settings");
    return {Outcome::kept};
}

Deployment::Outcomes Deployment::roll_back() {
    return_to_current();
    change_error_log(current().settings().error_log);
    follow_settings();
    return {Outcome::rolled_back};
}

Deployment::Outcomes Deployment::reject(const std::string& reason, int exit_code) {
    spdlog::error("{}", reason);
    reload_failure_ = reason;
    if (!rollout_.has_adopted()) {
        failure_ = exit_code;
        if (!current().settings().error_log.goes_to_stderr()) std::fprintf(stderr, "cppcorn: %s\n", reason.c_str());
    }
    return carry_out(rollout_.failed());
}

void Deployment::follow_settings() {
    update_pidfile();
    watch_.follow(current(), SteadyClock::now());
}

// Whatever has become of its directory: the workers that serve need none.
void Deployment::return_to_current() {
    try {
        enter(current());
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
}

// While the old master is there, the usual one is its own.
std::string Deployment::pidfile_path() const {
    const std::string& path = current().settings().pidfile;
    if (path.empty()) return "";
    return path + (upgrade_.has_predecessor() ? ".2" : "");
}

} // namespace cppcorn

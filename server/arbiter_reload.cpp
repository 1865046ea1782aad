// How a release comes into use: at the start, by a reload, and back again where a reload cannot start.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "server/arbiter.hpp"

namespace cppcorn {
namespace {

using Clock = std::chrono::steady_clock;

} // namespace

void Arbiter::handle_hup() {
    if (table_.stopping()) return;
    if (stop_at_ != Time::max()) return spdlog::info("Handling signal: hup; ignored: the server is about to stop");
    spdlog::info("Handling signal: hup");
    reload();
}

void Arbiter::reload() {
    if (probe_) {
        reload_again_ = true;
        return;
    }
    report(ServiceManager::State::reloading);
    retired_ = false;
    try {
        auto release = open_release(around_.start.read_settings(), release_->listeners);
        if (successor_ != 0 && release->listeners != release_->listeners) {
            throw std::runtime_error("cannot change where to listen while a new master is pending: it would not know");
        }
        if (release->settings().preload) release->preloaded = release_->preloaded;
        return_to_release();
        begin_probe(std::move(release));
    } catch (const std::exception& error) {
        reject(error.what());
    }
}

void Arbiter::apply_policy() {
    table_.set_policy({settings().boot_timeout, settings().worker.graceful_timeout, settings().reload_surge});
    table_.want(retired_ ? 0 : settings().workers);
}

void Arbiter::log_listeners(const Listeners& known) const {
    for (const auto& listener : release_->listeners) {
        if (std::find(known.begin(), known.end(), listener) != known.end()) continue;
        spdlog::info("Listening at: {} ({})", listener->text(), ::getpid());
    }
}

// While the old master is there, the usual one is its own.
std::string Arbiter::pidfile_path() const {
    return std::filesystem::absolute(settings().pidfile).string() + (predecessor_ ? ".2" : "");
}

// A reload may name another one, or none. The old one stays if the new one cannot be written.
void Arbiter::update_pidfile() {
    try {
        if (settings().pidfile.empty()) {
            pidfile_.reset();
        } else if (!pidfile_ || pidfile_->path() != pidfile_path()) {
            pidfile_ = std::make_unique<Pidfile>(pidfile_path());
        }
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
}

void Arbiter::begin_probe(std::shared_ptr<Release> release) {
    probe_.emplace(std::move(release), pipes_, Clock::now());
}

void Arbiter::probe_exited(int wait_status) {
    AppProbe probe = std::move(*probe_);
    probe_.reset();
    if (table_.stopping()) return;
    if (const auto error = probe.verdict(wait_status)) {
        reject(*error);
    } else {
        adopt(probe.release());
    }
    if (std::exchange(reload_again_, false)) reload();
}

// Whatever has become of the folder: the workers that serve need no folder.
void Arbiter::return_to_release() {
    try {
        enter(*release_);
    } catch (const std::exception& error) {
        spdlog::error("{}", error.what());
    }
}

void Arbiter::reject(const std::string& reason) {
    spdlog::error("{}", reason);
    if (started_) {
        return_to_release();
        spdlog::error("Reload failed: the old workers serve on with the old settings");
        if (table_.wanted() == 0 && !retired_) apply_policy(); // none are left to serve on
    } else {
        exit_code_ = exit_no_app;
        if (!settings().error_log.goes_to_stderr()) std::fprintf(stderr, "cppcorn: %s\n", reason.c_str());
        stop(StopKind::quick);
    }
}

void Arbiter::adopt(std::shared_ptr<Release> release) {
    try {
        enter(*release);
        if (release->settings().preload && !release->preloaded) {
            apply_environment(release->settings());
            release->preloaded = std::make_shared<AppModule>(load_app(*release));
        }
        if (started_) {
            spdlog::info("Reloading: new workers start");
            open_error_log(release->settings().error_log);
        }
        give_logs(*release);
    } catch (const std::exception& error) {
        reject(error.what());
        return;
    }
    const std::shared_ptr<Release> before = std::exchange(release_, std::move(release));
    if (started_) {
        log_listeners(before->listeners);
        if (!previous_) previous_ = before;
        table_.begin_generation();
    }
    started_ = true;
    apply_policy();
    update_pidfile();
    watch_files();
}

void Arbiter::watch_files() {
    if (!settings().reload) {
        watch_.reset();
        return;
    }
    std::vector<std::string> paths;
    for (const auto& path : settings().reload_extra_files) paths.push_back(std::filesystem::absolute(path));
    try {
        paths.push_back(std::filesystem::absolute(app_file(*release_)));
        if (!watch_ || watch_->paths() != paths) watch_ = std::make_unique<FileWatch>(std::move(paths), Clock::now());
    } catch (const std::exception& error) {
        spdlog::error("{}; changes are not noticed", error.what());
    }
}

void Arbiter::reload_if_changed(Time now) {
    const auto path = watch_->changed(now);
    if (!path || stop_at_ != Time::max()) return;
    spdlog::info("{} has changed", *path);
    reload();
}

// The newest workers cannot start, again and again.
void Arbiter::give_up() {
    if (previous_) {
        spdlog::error("Reload failed: the new workers cannot start; the old ones serve on");
        release_ = std::move(previous_);
        return_to_release();
        change_error_log(settings().error_log);
        table_.roll_back();
        apply_policy();
        update_pidfile();
        watch_files();
        return;
    }
    exit_code_ = last_start_failure_;
    spdlog::error("Giving up: no worker could start");
    stop(StopKind::quick);
}

} // namespace cppcorn

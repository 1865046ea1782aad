// How a release comes into use: at the start, by a reload, and back again where a reload cannot start.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "server/arbiter.hpp"
#include "workers/log/error_log.hpp"

namespace cppcorn {
namespace {

using Clock = std::chrono::steady_clock;

} // namespace

void Arbiter::handle_hup() {
    if (table_.stopping()) return;
    spdlog::info("Handling signal: hup");
    if (probe_) {
        reload_again_ = true;
        return;
    }
    try {
        auto release = open_release(reread_(), release_.get());
        enter_folder(*release_);
        begin_probe(std::move(release));
    } catch (const std::exception& error) {
        reject(error.what());
    }
}

void Arbiter::apply_policy() {
    table_.set_policy({settings().boot_timeout, settings().graceful_timeout});
    table_.want(settings().workers);
}

void Arbiter::log_listeners(const Listeners& known) const {
    for (const auto& listener : release_->listeners) {
        if (std::find(known.begin(), known.end(), listener) != known.end()) continue;
        spdlog::info("Listening at: {} ({})", listener->text(), ::getpid());
    }
}

// A reload may name another one, or none. The old one stays if the new one cannot be written.
void Arbiter::update_pidfile() {
    const std::string& path = settings().pidfile;
    try {
        if (path.empty()) {
            pidfile_.reset();
        } else if (!pidfile_ || pidfile_->path() != std::filesystem::absolute(path)) {
            pidfile_ = std::make_unique<Pidfile>(path);
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
    if (std::exchange(reload_again_, false)) handle_hup();
}

void Arbiter::reject(const std::string& reason) {
    spdlog::error("{}", reason);
    if (started_) {
        enter_folder(*release_);
        spdlog::error("Reload failed: the old workers serve on with the old settings");
    } else {
        exit_code_ = exit_no_app;
        if (settings().error_log != "-") std::fprintf(stderr, "cppcorn: %s\n", reason.c_str());
        stop(StopKind::quick);
    }
}

void Arbiter::adopt(std::shared_ptr<Release> release) {
    try {
        enter_folder(*release);
        if (release->settings().preload && !release->preloaded) {
            apply_environment(release->settings());
            release->preloaded = std::make_shared<AppModule>(load_app(*release));
        }
        if (started_) {
            spdlog::info("Reloading: new workers start");
            open_error_log(release->settings());
        }
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
}

// The newest workers cannot start, again and again.
void Arbiter::give_up() {
    if (previous_) {
        spdlog::error("Reload failed: the new workers cannot start; the old ones serve on");
        release_ = std::move(previous_);
        enter_folder(*release_);
        reopen_error_log(settings());
        table_.roll_back();
        apply_policy();
        return;
    }
    exit_code_ = last_start_failure_;
    spdlog::error("Giving up: no worker could start");
    stop(StopKind::quick);
}

} // namespace cppcorn

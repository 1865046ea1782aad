#include "server/release/app_probe.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash_report.hpp"
#include "base/log/error_log.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/process/exit_codes.hpp"
#include "server/release/bridge_table.hpp"
#include "workers/app/app_fork.hpp"
#include "workers/transport/spool_file.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t longest_message = 4096;

constexpr std::size_t most_watched = std::size_t{4} << 20; // bytes of paths

// One after the other, each with a zero behind it.
void write_watched(int fd) {
    std::string text;
    for (const auto& path : watched_by_app()) text.append(path).push_back('\0');
    [[maybe_unused]] const auto ignored = ::write(fd, text.data(), std::min(text.size(), most_watched));
}

// What the child has of the master's.
struct ProbeEnds {
    int message;
    int watched; // -1 without --reload
    int post;    // of a mold
    pid_t master;
};

void prepare_for_app(const Release& release, const MoldPlan* mold) {
    if (mold != nullptr) {
        mold->begin();
        prepare_for_forks_of_app();
    }
    enter(release);
    apply_environment(release.settings());
    // Here, since the master may be somebody else, and the workers are many.
    check_spool_directory(release.settings().worker.spool_dir, release.settings().worker.spool_limit);
}

int probe_main(const Release& release, const ProbeEnds& ends, CrashRecord& crash, const MoldPlan* mold) {
    unblock_all_signals();
    install_crash_report(crash);
    prepare_for_app(release, mold);
    try {
        const AppModule app = load_app(release);
        if (ends.watched >= 0) write_watched(ends.watched);
        // Not unloaded: a destructor that crashes is none of the probe's business.
        if (mold == nullptr) ::_exit(exit_clean);
        ::close(ends.message); // which workers have no use for
        run_mold(*mold, release, app.app(), {ends.post, ends.master});
        return exit_clean;
    } catch (const AppLoadError& error) {
        const std::string text = std::string(error.what()).substr(0, longest_message);
        [[maybe_unused]] const auto ignored = ::write(ends.message, text.data(), text.size());
        return exit_no_app;
    }
}

} // namespace

AppProbe::AppProbe(const Release& release, ProcessTitle* title, SteadyTime now, const MoldPlan* mold)
    : app_spec_(release.settings().app), identity_(release.identity), began_(now), becomes_mold_(mold != nullptr) {
    start(release, title, mold);
    const auto timeout = release.settings().boot_timeout;
    deadline_ = timeout.count() > 0 ? now + timeout : SteadyTime::max();
}

void AppProbe::start(const Release& release, ProcessTitle* title, const MoldPlan* mold) {
    int message[2];
    check(::pipe2(message, O_CLOEXEC | O_NONBLOCK), "cannot make a pipe");
    message_.reset(message[0]);
    const UniqueFd write_end(message[1]);
    const ChildRole role = mold != nullptr ? ChildRole::mold : ChildRole::probe;
    ChildPlan plan{role, release.settings().display_name(), release.identity, {release.directory.get()}};
    if (release.settings().reload) {
        watched_.reset(check(::memfd_create("cppcorn-watched", MFD_CLOEXEC), "cannot make a file in memory"));
        plan.keeps.push_back(watched_.get());
    }
    MoldPost post;
    if (mold != nullptr) {
        post = MoldPost::open();
        plan.keeps.push_back(post.mold.get());
        for (const int fd : mold->keeps(release)) plan.keeps.push_back(fd);
        // Workers are to be this process's children, though it does not fork them.
        check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "cannot take in workers");
    }
    const ProbeEnds ends{write_end.get(), watched_.get(), post.mold.get(), ::getpid()};
    pid_ = fork_child(plan, title, [&] { return probe_main(release, ends, crash_[0], mold); });
    post_ = std::move(post.master);
}

bool AppProbe::has_loaded() {
    if (!post_.is_open()) return false;
    MoldNotice notice;
    const MoldPostState state = receive_notice(post_.get(), notice);
    if (state == MoldPostState::ended) post_.reset(); // its end, or its time, says the rest
    return state == MoldPostState::message && notice.kind == MoldNotice::Kind::loaded;
}

std::shared_ptr<Mold> AppProbe::take_mold() {
    return std::make_shared<Mold>(pid_, std::move(post_), std::move(crash_), identity_);
}

void AppProbe::kill() {
    killed_ = true;
    deadline_ = SteadyTime::max();
    ::kill(pid_, SIGKILL);
}

Death AppProbe::death(int wait_status, long peak_kib) const {
    Death death;
    death.pid = pid_;
    death.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    death.place = "while loading the app, to try it";
    death.peak_kib = peak_kib;
    death.identity = identity_;
    death.crash = checked(crash_[0]);
    return death;
}

std::vector<std::string> AppProbe::watched() const {
    std::vector<std::string> paths;
    if (!watched_.is_open()) return paths;
    std::string text(most_watched, '\0');
    const auto size = ::pread(watched_.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    for (std::size_t at = 0, end; (end = text.find('\0', at)) != std::string::npos; at = end + 1) {
        paths.push_back(text.substr(at, end - at));
    }
    return paths;
}

std::optional<std::string> AppProbe::fault(int wait_status) {
    const bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_clean;
    if (is_clean && !becomes_mold_) return std::nullopt;
    if (killed_) return app_spec_ + ": takes longer to load than --boot-timeout allows";
    if (WIFSIGNALED(wait_status)) {
        return app_spec_ + ": crashed while loading (" + signal_name(WTERMSIG(wait_status)) + ")";
    }
    char text[longest_message];
    const auto size = ::read(message_.get(), text, sizeof text);
    if (size > 0) return std::string(text, static_cast<std::size_t>(size));
    return app_spec_ + ": ended the process while loading (exit code " + std::to_string(WEXITSTATUS(wait_status)) + ")";
}

} // namespace cppcorn

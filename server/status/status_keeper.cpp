#include "server/status/status_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include "server/supervision/worker_end.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds first_pause = 100ms; // before another start
constexpr Milliseconds longest_pause = 30s;
constexpr auto long_enough = 60s; // what ends after such a time is no repetition
constexpr auto time_to_end = 1s;
constexpr auto time_to_abort = 3s;            // and to note where it was
constexpr Milliseconds longest_silence = 10s; // whoever asks for /live has given up by then
constexpr auto time_to_leave = 200ms;         // of the service's own end

} // namespace

StatusKeeper::StatusKeeper(Scoreboard& scoreboard, int slot, Watcher::Slots slots, ServiceBoard& board, Ways ways,
                           ProcessTitle& title)
    : scoreboard_(scoreboard), slot_(slot), slots_(slots), board_(board), ways_(ways), title_(title) {}

void StatusKeeper::begin_statsd(SteadyTime now) {
    statsd_book_[0].time_ns = now.time_since_epoch().count();
}

void StatusKeeper::reopen_logs() {
    if (is_serving()) scoreboard_.tell(slot_, WorkerOrder::reopen_logs);
}

void StatusKeeper::exited(int wait_status, const rusage& usage, PostMortems& post_mortems, SteadyTime now) {
    board_.cpu_of_statuses_us.add(cpu_time_us(usage));
    const std::string repeat = explain(wait_status, usage.ru_maxrss, post_mortems, now);
    const pid_t pid = std::exchange(pid_, 0);
    scoreboard_.vacate(slot_);
    kill_at_ = SteadyTime::max();
    if (std::exchange(state_, State::absent) == State::ending) return;
    if (now >= started_at_ + long_enough) pause_ = 0ms;
    pause(now);
    const std::chrono::duration<double> seconds = pause_;
    spdlog::error("The status process (pid:{}) {}; another one is started in {} s{}", pid, text_of_end(wait_status),
                  seconds.count(), repeat);
}

// As PostMortems::add(). Nothing where it was no crash.
std::string StatusKeeper::explain(int wait_status, long peak_kib, PostMortems& post_mortems, SteadyTime now) const {
    WorkerEntry entry;
    entry.pid = pid_;
    Death death = death_of_worker(entry, wait_status, scoreboard_.slot(slot_), scoreboard_.crash(slot_), peak_kib);
    if (!is_crash(wait_status, death.crash)) return "";
    death.identity = identity_;
    return post_mortems.add(std::move(death), now);
}

void StatusKeeper::pause(SteadyTime now) {
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    not_before_ = now + pause_;
}

void StatusKeeper::supervise(const Release& release, bool shows, SteadyTime now) {
    is_wanted_ = shows && (!release.status_listeners.empty() || !release.settings().statsd_host.empty());
    if (state_ == State::serving && (!is_wanted_ || std::exchange(is_renewed_, false))) end(now);
    if (state_ == State::ending && now >= kill_at_) {
        kill_at_ = now + time_to_end;
        kill();
    }
    if (state_ == State::absent && is_wanted_ && now >= not_before_) start(release, now);
    is_watched_ = state_ == State::serving && release.settings().worker.timeout.count() > 0;
    if (is_watched_) watch_loop(now);
}

// As a worker's is, but that no request of its own takes time.
void StatusKeeper::watch_loop(SteadyTime now) {
    if (now < loop_.due()) return;
    WorkerEntry entry;
    entry.pid = pid_;
    entry.slot = slot_;
    entry.state = WorkerState::serving;
    const auto findings = loop_.look(now, longest_silence, {entry}, [this](int slot) -> LoopWatch::Signs {
        const ScoreboardSlot& board = scoreboard_.slot(slot);
        return {false, board.requests(), !board.orders().waiting().contains(WorkerOrder::answer)};
    });
    if (!findings.to_ask.empty()) scoreboard_.tell(slot_, WorkerOrder::answer);
    if (findings.stands_still.empty()) return;
    spdlog::critical("The status process (pid:{}) stands still; another one takes its place", pid_);
    state_ = State::ending;
    kill_at_ = now + time_to_abort;
    ::kill(pid_, SIGABRT); // the log says where it was
    ::kill(pid_, SIGCONT); // also if it was stopped
}

void StatusKeeper::end(SteadyTime now) {
    if (state_ != State::serving) return;
    state_ = State::ending;
    kill_at_ = now + time_to_end;
    scoreboard_.tell(slot_, WorkerOrder::exit);
}

void StatusKeeper::dismiss() {
    const SteadyTime begin = SteadyClock::now();
    end(begin);
    while (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (SteadyClock::now() >= begin + time_to_leave) return kill();
        ::poll(nullptr, 0, 1);
    }
    pid_ = 0;
}

void StatusKeeper::kill() const {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
}

void StatusKeeper::start(const Release& release, SteadyTime now) {
    try {
        scoreboard_.prepare(slot_, Scoreboard::Understudy::none);
        pid_ = start_status_process(
            {release, scoreboard_, slot_, slots_, board_, statsd_book_[0], ways_.pipes, ways_.post, title_});
        identity_ = release.identity;
        state_ = State::serving;
        is_renewed_ = false;
        started_at_ = now;
    } catch (const std::system_error& error) {
        if (pause_ == 0ms) spdlog::error("Cannot start the status process: {}; retrying with back-off", error.what());
        pause(now);
    }
}

SteadyTime StatusKeeper::due() const {
    switch (state_) {
        case State::absent:
            return is_wanted_ ? not_before_ : SteadyTime::max();
        case State::serving:
            return is_watched_ ? loop_.due() : SteadyTime::max();
        case State::ending:
            return kill_at_;
    }
    return SteadyTime::max();
}

} // namespace cppcorn

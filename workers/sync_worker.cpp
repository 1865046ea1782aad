#include "workers/sync_worker.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/log/error_log.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto queue_pause = 10ms;   // of a worker that gives connections away, when there is no room for them
constexpr auto orphan_grace = 900ms; // for the requests under way when the master has died
constexpr auto leaving_time = 900ms; // for giving connections away, of a worker that is to exit at once

} // namespace

SyncWorker::SyncWorker(WorkerContext& context, Epoll& epoll, const std::vector<ListeningSocket>& listeners,
                       MasterLink& master, SignalInbox& signals)
    : context_(context),
      master_(master),
      signals_(signals),
      recycling_(context.settings, SteadyClock::now(), static_cast<std::uint64_t>(::getpid()) * 2654435761u),
      epoll_(epoll),
      acceptor_(context, listeners, epoll_),
      inbox_(context, epoll_),
      connections_(context, epoll_) {
    acceptor_.when_out_of_descriptors([this] { return connections_.make_place(); });
    for (const int fd : {signals_.fd(), master_.leash_fd(), master_.bell().fd()}) {
        epoll_.add(fd, EPOLLIN, static_cast<std::uint32_t>(fd));
        watch(fd);
    }
    for (const auto& listener : listeners) watch(listener.fd);
    if (inbox_.fd() >= 0) watch(inbox_.fd());
}

void SyncWorker::watch(int fd) {
    if (context_.memory != nullptr) context_.memory->notes().watch(fd);
}

// What the understudy has done while the app ran.
void SyncWorker::meet_understudy() {
    if (context_.desk.has_moved()) connections_.forget_moved();
    if (!context_.desk.was_made_quiet()) return;
    for (const int fd : {signals_.fd(), master_.leash_fd(), master_.bell().fd()}) {
        epoll_.watch_again(fd, EPOLLIN, static_cast<std::uint32_t>(fd));
    }
    acceptor_.watch_again();
    inbox_.watch_again();
}

void SyncWorker::run() {
    while (!is_finished()) {
        const int count = epoll_.wait(wait_time_ms());
        context_.refresh_clock();
        const int waiting = connections_.waiting(); // of the turns before: the others come first
        const int served = serve_ready(count);
        if (inbox_.has_work()) take_moved(served);
        if (acceptor_.has_work()) accept_new(served);
        serve_waiting(waiting);
        if (state_ != State::exiting) connections_.serve_stalled_if_room();
        if (state_ != State::exiting) connections_.expire_overdue(); // both of which may call the app
        meet_understudy();
        acceptor_.try_again_if_due();
        context_.chore.run_if_due(context_.now());
        note_room();
        if (state_ == State::retiring) leave_connections();
        context_.access_log.flush();
        recycle_if_enough();
    }
}

bool SyncWorker::is_finished() const {
    if (state_ == State::exiting || context_.now() >= give_up_at_) return true;
    return state_ == State::retiring && acceptor_.is_done() && connections_.count() == 0;
}

int SyncWorker::wait_time_ms() const {
    if (acceptor_.wants_turn() || connections_.waiting() > 0) return 0;
    // A worker that retires already is not replaced once more.
    const SteadyTime recycling_due = state_ == State::serving ? recycling_.due() : SteadyTime::max();
    const SteadyTime next =
        std::min({acceptor_.due(), give_away_at_, give_up_at_, recycling_due, connections_.due(), context_.chore.due});
    if (next == SteadyTime::max()) return -1;
    const auto left = std::chrono::ceil<Milliseconds>(next - context_.now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

// Returns how many connections were ready. What the master asks for, it gets before the next request: a turn is as long
// as all the requests that are here.
int SyncWorker::serve_ready(int event_count) {
    acceptor_.begin_turn();
    int served = 0;
    for (int i = 0; i < event_count; ++i) {
        take_orders_if_any();
        if (state_ == State::exiting) break;
        const std::uint64_t tag = epoll_.tag(i);
        if (ConnectionTable::is_connection(tag)) {
            ++served;
            connections_.serve(tag);
            meet_understudy();
        } else if (static_cast<int>(tag) == master_.bell().fd()) {
            master_.bell().silence(); // before they are taken, so that it rings for all that come later
            take_orders();
        } else if (static_cast<int>(tag) == signals_.fd()) {
            take_signals();
        } else if (static_cast<int>(tag) == master_.leash_fd()) {
            master_is_gone();
        } else if (static_cast<int>(tag) == inbox_.fd()) {
            inbox_.note_ready();
        } else {
            acceptor_.note_ready(static_cast<int>(tag));
        }
    }
    return served;
}

// Those of other workers come before new ones: they have waited already.
void SyncWorker::take_moved(int served) {
    inbox_.take(served, state_ == State::retiring, [this](MovedConnection moved) {
        connections_.take_over(std::move(moved));
        meet_understudy();
        note_room();
        take_orders_if_any();
    });
}

void SyncWorker::note_room() {
    acceptor_.set_full(connections_.is_full());
    inbox_.set_full(connections_.is_full());
}

void SyncWorker::accept_new(int served) {
    connections_.make_sure_of_idle();
    note_room();
    acceptor_.accept(served, [this](UniqueFd socket, const Peer& peer) {
        const bool is_kept = connections_.admit(SocketStream(std::move(socket), !context_.settings.no_sendfile), peer);
        meet_understudy();
        if (is_kept) {
            connections_.make_sure_of_idle();
            note_room();
            acceptor_.step_back();
        }
        take_orders_if_any();
        return is_kept ? Acceptor::Outcome::kept : Acceptor::Outcome::served;
    });
}

void SyncWorker::take_orders_if_any() {
    if (context_.has_orders()) take_orders();
}

void SyncWorker::take_orders() {
    const auto taken = context_.slot.orders().take();
    if (taken.contains(WorkerOrder::reopen_logs)) reopen_logs();
    if (const auto level = taken.log_level(); level && *level < std::size(log_levels)) {
        change_log_level(static_cast<LogLevel>(*level));
    }
    if (taken.contains(WorkerOrder::make_understudy) && context_.make_understudy) context_.make_understudy();
    if (taken.contains(WorkerOrder::retire)) retire();
    if (taken.contains(WorkerOrder::exit)) exit();
}

void SyncWorker::serve_waiting(int count) {
    for (; count > 0; --count) {
        take_orders_if_any();
        if (state_ == State::exiting) return;
        connections_.serve_next_waiting();
        meet_understudy();
    }
}

// Those that somebody sent to this worker itself; the master sends none that is handled here.
void SyncWorker::take_signals() {
    const auto taken = signals_.take();
    if (taken.contains(SIGUSR1)) reopen_logs();
    if (taken.contains(SIGTERM)) retire();
    if (taken.contains(SIGINT) || taken.contains(SIGQUIT)) leave_soon();
}

// This worker is not wanted any more; its clients have done nothing.
void SyncWorker::leave_soon() {
    context_.retire();
    if (!context_.gives_connections_away()) return exit();
    give_up_at_ = std::min(give_up_at_, context_.now() + leaving_time);
    retire();
}

void SyncWorker::reopen_logs() {
    reopen_error_log();
    context_.access_log.reopen();
}

void SyncWorker::master_is_gone() {
    epoll_.remove(master_.leash_fd());
    acceptor_.stop(); // what waits is for the next master
    give_up_at_ = context_.now() + orphan_grace;
    context_.stay_alone();
    retire();
}

void SyncWorker::retire() {
    if (state_ != State::serving) return;
    state_ = State::retiring;
    context_.retire();
    acceptor_.retire();
    inbox_.stop();
    leave_connections();
}

// Other workers go on with them, unless there are none. Then what is on its way is for this one, too.
void SyncWorker::leave_connections() {
    give_away_at_ = SteadyTime::max();
    if (context_.gives_connections_away()) {
        if (!connections_.give_away()) give_away_at_ = context_.now() + queue_pause;
        return;
    }
    inbox_.resume();
    connections_.retire();
}

void SyncWorker::exit() {
    state_ = State::exiting;
    acceptor_.stop();
    inbox_.stop();
}

void SyncWorker::recycle_if_enough() {
    const SteadyTime now = context_.now();
    const std::uint64_t requests = context_.slot.requests();
    const bool served = std::exchange(requests_before_, requests) != requests;
    if (state_ != State::serving || !(served || now >= recycling_.due())) return;
    const auto reason = recycling_.poll_reason(requests, now);
    if (!reason) return;
    spdlog::info("Worker wants a replacement: {}", *reason);
    master_.tell(Notice::wants_replacement);
}

} // namespace cppcorn

#include "workers/sync_worker.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr int events_at_once = 128;
constexpr auto accept_time = 1ms;       // for connections that are served at once, before the others have their turn
constexpr auto accept_pause = 200ms;    // after an accept that failed for want of something
constexpr auto retire_accept_time = 1s; // a retiring worker still takes what its siblings have not
constexpr auto orphan_grace = 900ms;    // for the requests under way when the master has died

// In epoll's data: a descriptor, and which of its successive connections is meant. 0 stands for what is no connection.
std::uint64_t tag(int fd, unsigned generation) {
    return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

void watch(int epoll, int operation, int fd, std::uint32_t events, unsigned generation) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag(fd, generation);
    check(::epoll_ctl(epoll, operation, fd, &event), "cannot watch a descriptor");
}

bool somebody_waits(int listener) {
    const int saved_errno = errno;
    pollfd waited{listener, POLLIN, 0};
    const bool waits = ::poll(&waited, 1, 0) != 0;
    errno = saved_errno;
    return waits;
}

} // namespace

SyncWorker::SyncWorker(Service& service, const std::vector<ListeningSocket>& listeners, MasterLink& master,
                       SignalInbox& signals)
    : service_(service),
      listeners_(listeners),
      master_(master),
      signals_(signals),
      pool_(service.settings),
      recycling_(service.settings, SteadyClock::now(), static_cast<std::uint64_t>(::getpid()) * 2654435761u),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "cannot make an epoll")),
      events_(events_at_once) {
    watch(epoll_.get(), EPOLL_CTL_ADD, signals_.fd(), EPOLLIN, 0);
    watch(epoll_.get(), EPOLL_CTL_ADD, master_.leash_fd(), EPOLLIN, 0);
    watch_listeners(true);
}

SyncWorker::~SyncWorker() = default;

void SyncWorker::run() {
    for (;;) {
        if (finished()) return;
        const int count = ::epoll_wait(epoll_.get(), events_.data(), events_at_once, wait_time_ms());
        if (count < 0 && errno != EINTR) throw_system_error("cannot wait for connections");
        service_.look_at_clock();
        serve_ready(std::max(count, 0));
        if (listening_ && (leaving_ || !acceptable_.empty())) accept_next();
        expire_overdue();
        service_.access_log.flush();
        recycle_if_enough();
    }
}

bool SyncWorker::finished() const {
    if (quick_exit_ || service_.now() >= give_up_at_) return true;
    return leaving_ && backlog_done_ && connection_count_ == 0;
}

int SyncWorker::wait_time_ms() const {
    if (leaving_ && listening_) return 0; // there is more to accept, or accept_next() has to find out that there is not
    Time next = std::min({listen_again_at_, give_up_at_, recycling_.due()});
    if (const auto deadline = deadlines_.earliest()) next = std::min(next, *deadline);
    if (next == Time::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - service_.now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void SyncWorker::serve_ready(int event_count) {
    acceptable_.clear();
    served_in_turn_ = 0;
    for (int i = 0; i < event_count; ++i) {
        const int fd = static_cast<int>(events_[i].data.u64 & 0xffffffff);
        const auto generation = static_cast<unsigned>(events_[i].data.u64 >> 32);
        if (generation != 0) {
            Seat& seat = seats_[fd];
            if (seat.generation != generation) continue; // it is gone since
            ++served_in_turn_;
            settle(fd, seat.connection->serve(service_, pool_));
        } else if (fd == signals_.fd()) {
            take_signals();
        } else if (fd == master_.leash_fd()) {
            check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "cannot let go of the leash");
            stop_accepting(); // what waits is for the next master
            leave(service_.now() + orphan_grace);
        } else {
            acceptable_.push_back(fd);
        }
    }
}

// The connections that are here come first, then as many new ones as were served, at least one: what idle workers have
// left over by then waits no longer than the others do. Those that are served and gone at once count for nothing until
// they have taken a while together. A worker that leaves looks at all listeners until none has one waiting, but does
// not go on for ever: while others serve, what waits is theirs as well; when all are leaving, it stops while there is
// still time to answer.
void SyncWorker::accept_next() {
    const Time until = service_.now() + accept_time;
    int left = std::max(served_in_turn_, 1);
    for (bool more = true; more && listening_;) {
        const bool in_time = service_.now() < (service_.slot.drains_backlog() ? drain_until_ : accept_until_);
        if (leaving_ && !in_time) return stop_accepting();
        const Accepted accepted = accept_from_next();
        if (accepted == Accepted::kept) --left;
        more = accepted == Accepted::kept ? left > 0 : accepted == Accepted::served && service_.now() < until;
    }
}

// One connection, of each ready listener in turn.
SyncWorker::Accepted SyncWorker::accept_from_next() {
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        const std::size_t index = (next_listener_ + i) % listeners_.size();
        const int fd = listeners_[index].fd;
        const bool ready = std::find(acceptable_.begin(), acceptable_.end(), fd) != acceptable_.end();
        const Accepted accepted = ready || leaving_ ? accept_one(listeners_[index]) : Accepted::none;
        if (accepted == Accepted::none) continue;
        next_listener_ = index + 1;
        return accepted;
    }
    if (leaving_) stop_accepting();
    return Accepted::none;
}

SyncWorker::Accepted SyncWorker::accept_one(const ListeningSocket& listener) {
    sockaddr_storage address;
    socklen_t size = sizeof address;
    address.ss_family = AF_UNSPEC;
    UniqueFd socket(::accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.is_open()) {
        if (std::exchange(accept_failing_, false)) spdlog::info("Connections can be accepted again");
        return admit(std::move(socket), listener, address);
    }
    // Without descriptors, accept4 fails even where nobody waits.
    if (errno == EAGAIN || !somebody_waits(listener.fd)) return Accepted::none;
    accept_failed(listener, errno);
    return Accepted::failed;
}

void SyncWorker::stop_accepting() {
    watch_listeners(false);
    backlog_done_ = true;
}

void SyncWorker::accept_failed(const ListeningSocket& listener, int error) {
    // The connection's own trouble (it was reset while it waited) is no trouble of ours.
    constexpr int of_connection[] = {EINTR,     ECONNABORTED, EPROTO,      EPERM,       ENETDOWN,
                                     EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, ENONET};
    if (std::find(std::begin(of_connection), std::end(of_connection), error) != std::end(of_connection)) return;
    if (!std::exchange(accept_failing_, true)) {
        spdlog::error("Cannot accept a connection on {}: {}; trying again every {} ms", listener.server_name,
                      std::strerror(error), accept_pause.count());
    }
    watch_listeners(false);
    listen_again_at_ = service_.now() + accept_pause;
}

// Most clients have sent their request by now, and many want no more than its answer: such a connection is never
// watched.
SyncWorker::Accepted SyncWorker::admit(UniqueFd socket, const ListeningSocket& listener,
                                       const sockaddr_storage& address) {
    Connection connection(std::move(socket), make_peer(address, listener, service_.settings), service_.settings,
                          service_.now());
    Connection::Wants wants = connection.serve(service_, pool_);
    if (leaving_ && wants != Connection::Wants::to_close) wants = connection.leave(service_, pool_);
    if (wants == Connection::Wants::to_close) return Accepted::served;
    seat(std::move(connection), wants);
    return Accepted::kept;
}

void SyncWorker::seat(Connection&& connection, Connection::Wants wants) {
    const int fd = connection.fd();
    if (static_cast<std::size_t>(fd) >= seats_.size()) seats_.resize(static_cast<std::size_t>(fd) * 2 + 64);
    Seat& seat = seats_[fd];
    seat.generation = next_generation_++;
    if (next_generation_ == 0) next_generation_ = 1;
    seat.writing = wants == Connection::Wants::to_write;
    seat.scheduled_at = Time::max();
    watch(epoll_.get(), EPOLL_CTL_ADD, fd, seat.writing ? EPOLLOUT : EPOLLIN, seat.generation);
    seat.connection = std::make_unique<Connection>(std::move(connection));
    if (++connection_count_ >= service_.settings.worker_connections) watch_listeners(false);
    schedule(fd);
}

// Gives a connection what it wants next.
void SyncWorker::settle(int fd, Connection::Wants wants) {
    Seat& seat = seats_[fd];
    if (wants == Connection::Wants::to_close) {
        seat.connection.reset(); // closing takes it out of the epoll set, too
        seat.generation = 0;
        if (connection_count_-- >= service_.settings.worker_connections) watch_listeners(true);
        forget_stale_deadlines();
        return;
    }
    const bool writing = wants == Connection::Wants::to_write;
    if (writing != seat.writing) {
        seat.writing = writing;
        watch(epoll_.get(), EPOLL_CTL_MOD, fd, writing ? EPOLLOUT : EPOLLIN, seat.generation);
    }
    schedule(fd);
}

void SyncWorker::schedule(int fd) {
    Seat& seat = seats_[fd];
    const Time deadline = seat.connection->deadline();
    if (deadline >= seat.scheduled_at) return;
    seat.scheduled_at = deadline;
    deadlines_.push({deadline, fd, seat.generation});
}

void SyncWorker::expire_overdue() {
    const Time now = service_.now();
    while (const auto due = deadlines_.pop_due(now)) {
        Seat& seat = seats_[due->number];
        if (seat.generation != due->generation || seat.scheduled_at != due->at) continue;
        seat.scheduled_at = Time::max();
        const bool overdue = now >= seat.connection->deadline();
        const auto unchanged = seat.writing ? Connection::Wants::to_write : Connection::Wants::to_read;
        settle(due->number, overdue ? seat.connection->overdue(service_, pool_) : unchanged);
    }
    if (now < listen_again_at_) return;
    listen_again_at_ = Time::max();
    if (connection_count_ < service_.settings.worker_connections) watch_listeners(true);
}

// Connections that come and go leave their entries behind, which must not pile up until their time comes.
void SyncWorker::forget_stale_deadlines() {
    if (deadlines_.size() < 1024 + 4 * static_cast<std::size_t>(connection_count_)) return;
    deadlines_.keep_if([this](const DeadlineHeap::Entry& entry) {
        const Seat& seat = seats_[entry.number];
        return seat.generation == entry.generation && seat.scheduled_at == entry.at;
    });
}

void SyncWorker::take_signals() {
    const auto taken = signals_.take();
    if (taken.contains(SIGUSR1)) {
        reopen_error_log();
        service_.access_log.reopen();
    }
    if (taken.contains(SIGINT) || taken.contains(SIGQUIT)) quick_exit_ = true;
    if (taken.contains(SIGTERM)) leave(Time::max());
}

void SyncWorker::leave(Time give_up_at) {
    give_up_at_ = std::min(give_up_at_, give_up_at);
    if (leaving_) return;
    leaving_ = true;
    service_.leave();
    const Time now = service_.now();
    accept_until_ = now + std::min<Milliseconds>(retire_accept_time, service_.settings.graceful_timeout / 2);
    drain_until_ = now + service_.settings.graceful_timeout * 3 / 4;
    for (std::size_t fd = 0; fd < seats_.size(); ++fd) {
        if (seats_[fd].connection) settle(static_cast<int>(fd), seats_[fd].connection->leave(service_, pool_));
    }
}

void SyncWorker::recycle_if_enough() {
    const Time now = service_.now();
    const std::uint64_t requests = service_.slot.requests();
    const bool served = std::exchange(requests_before_, requests) != requests;
    if (leaving_ || !(served || now >= recycling_.due()) || !recycling_.enough(requests, now)) return;
    spdlog::info("Worker wants a replacement: {}", recycling_.reason());
    master_.tell(Notice::wants_replacement);
}

void SyncWorker::watch_listeners(bool watching) {
    if (watching == listening_ || backlog_done_) return;
    listening_ = watching;
    for (const auto& listener : listeners_) {
        watch(epoll_.get(), watching ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener.fd, EPOLLIN, 0);
    }
}

} // namespace cppcorn

#include "workers/connection/acceptor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "workers/transport/doorway.hpp"

namespace cppcorn {
namespace {

constexpr Milliseconds pause_time{200};          // after an accept that failed for lack of descriptors or memory
constexpr Milliseconds arrival_time{50};         // for clients that are connecting when nobody new is let in any more
constexpr Milliseconds retire_accept_time{1000}; // a retiring worker still takes what its siblings have not

bool somebody_waits(int listener) {
    pollfd waited{listener, POLLIN, 0};
    return ::poll(&waited, 1, 0) != 0;
}

// The connection's own trouble (it was reset while it waited) is no trouble of ours.
bool is_of_connection(int error) {
    constexpr int errors[] = {EINTR,     ECONNABORTED, EPROTO,      EPERM,       ENETDOWN,
                              EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, ENONET};
    return std::find(std::begin(errors), std::end(errors), error) != std::end(errors);
}

// Whatever the file's permissions have become meanwhile.
bool may_enter(int socket, uid_t owner, ucred& process) {
    socklen_t size = sizeof process;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &process, &size) != 0) return false;
    return process.uid == 0 || process.uid == owner;
}

} // namespace

Acceptor::Acceptor(WorkerContext& context, const std::vector<ListeningSocket>& listeners, Epoll& epoll)
    : context_(context), listeners_(listeners), epoll_(epoll) {
    for (const auto& listener : listeners_) epoll_.add(listener.fd, EPOLLIN, static_cast<std::uint32_t>(listener.fd));
    state_ = State::listening;
}

// The kernel wakes those that wait for a listener in the order in which they began to.
void Acceptor::step_back() {
    if (state_ != State::listening) return;
    for (const auto& listener : listeners_) {
        epoll_.remove(listener.fd);
        epoll_.add(listener.fd, EPOLLIN, static_cast<std::uint32_t>(listener.fd));
    }
}

void Acceptor::watch_again() {
    if (state_ != State::listening) return;
    for (const auto& listener : listeners_) {
        epoll_.watch_again(listener.fd, EPOLLIN, static_cast<std::uint32_t>(listener.fd));
    }
}

void Acceptor::enter(State state) {
    if (state_ == State::done || state == state_) return;
    const bool was_watching = state_ == State::listening;
    const bool is_watching = state == State::listening;
    state_ = state;
    if (was_watching == is_watching) return;
    for (const auto& listener : listeners_) {
        if (is_watching) {
            epoll_.add(listener.fd, EPOLLIN, static_cast<std::uint32_t>(listener.fd));
        } else {
            epoll_.remove(listener.fd);
        }
    }
}

void Acceptor::retire() {
    retiring_ = true;
    const Milliseconds grace = context_.settings.graceful_timeout;
    accept_until_ = context_.now() + std::min(retire_accept_time, grace / 2);
    drain_until_ = context_.now() + grace * 3 / 4;
}

SteadyTime Acceptor::retire_deadline() const {
    return context_.slot.drains_backlog() ? drain_until_ : accept_until_;
}

// Siblings, or a new master, serve who comes now. Where there are none, a client that is let in behind this worker's back
// would wait for a busy one, or be reset by the last one's end.
void Acceptor::backlog_is_empty() {
    if (!context_.slot.drains_backlog()) return stop();
    if (shut_at_ == SteadyTime::max()) {
        shut_at_ = context_.now() + arrival_time;
        for (const auto& listener : listeners_) {
            if (!listener.outlives_service) let_in_no_more(listener.fd);
        }
    } else if (context_.now() >= shut_at_) {
        shut_and_stop();
    }
}

void Acceptor::shut_and_stop() {
    for (const auto& listener : listeners_) {
        if (context_.slot.drains_backlog() && !listener.outlives_service) shut(listener.fd);
    }
    stop();
}

void Acceptor::stop() {
    shut_at_ = SteadyTime::max();
    enter(State::done);
}

void Acceptor::try_again() {
    again_at_ = SteadyTime::max();
    if (state_ == State::paused) enter(State::listening);
}

// Of each ready listener in turn. A retiring worker looks at all of them until nobody waits at any.
Acceptor::Taken Acceptor::take_next(Accepted& accepted) {
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        const std::size_t index = (next_listener_ + i) % listeners_.size();
        const int fd = listeners_[index].fd;
        const bool is_ready = retiring_ || std::find(ready_.begin(), ready_.end(), fd) != ready_.end();
        if (!is_ready) continue;
        const Taken taken = take_from(listeners_[index], accepted);
        if (taken == Taken::nobody_waits) continue;
        next_listener_ = index + 1;
        return taken;
    }
    if (retiring_) backlog_is_empty();
    return Taken::nobody_waits;
}

Acceptor::Taken Acceptor::take_from(const ListeningSocket& listener, Accepted& accepted) {
    if (accept_one(listener, accepted)) return Taken::one;
    int error = errno;
    // Without descriptors, accept4 fails even where nobody waits.
    const bool is_shut = retiring_ && error == EINVAL; // by a sibling
    if (error == EAGAIN || is_shut || !somebody_waits(listener.fd)) return Taken::nobody_waits;
    const bool lacks_descriptors = error == EMFILE || error == ENFILE;
    if (lacks_descriptors && make_place_ && make_place_()) {
        if (accept_one(listener, accepted)) return Taken::one;
        error = errno;
        if (error == EAGAIN) return Taken::nobody_waits;
    }
    note_failure(listener, error);
    return Taken::failed;
}

bool Acceptor::accept_one(const ListeningSocket& listener, Accepted& accepted) {
    sockaddr_storage address;
    socklen_t size = sizeof address;
    address.ss_family = AF_UNSPEC;
    context_.note_arrival(Arrival::accepted);
    accepted.socket.reset(
        ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    ucred process{};
    if (accepted.socket.is_open() && listener.owner && !may_enter(accepted.socket.get(), *listener.owner, process)) {
        accepted.socket.reset();
        errno = ECONNABORTED;
    }
    if (!accepted.socket.is_open()) {
        context_.note_arrival(Arrival::none);
        return false;
    }
    context_.slot.counters.accepted.add();
    if (std::exchange(is_failing_, false)) spdlog::info("Connections can be accepted again");
    accepted.peer = make_peer(address, listener, context_.settings);
    if (listener.owner) set_process(accepted.peer, process);
    return true;
}

void Acceptor::note_failure(const ListeningSocket& listener, int error) {
    if (is_of_connection(error)) return;
    if (!std::exchange(is_failing_, true)) {
        spdlog::error("Cannot accept a connection on {}: {}; retrying every {} ms", listener.server_name,
                      std::strerror(error), pause_time.count());
    }
    enter(State::paused);
    again_at_ = context_.now() + pause_time;
}

} // namespace cppcorn

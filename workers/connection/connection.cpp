#include "workers/connection/connection.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

#include "workers/connection/proxy_preamble.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

// After an answer that ends the connection, what the client still sends is dropped for so long and so much.
constexpr auto linger_time = 2s;
constexpr std::uint32_t linger_bytes = 1024 * 1024;
// For the next request of a client that has just had its answer or has just come when the worker has to leave: it is on
// its way, as a rule, and a close would meet it.
constexpr auto parting_time = 1s;

} // namespace

Connection::Connection(UniqueFd socket, const Peer& peer, const WorkerSettings& settings, Time now)
    : socket_(std::move(socket)),
      peer_(peer),
      preamble_first_(settings.proxy_protocol != http::ProxyProtocol::off),
      preamble_read_(!preamble_first_),
      deadline_(deadline_after(now, settings.header_timeout)) {}

Connection::Wants Connection::serve(Service& service, ExchangePool& pool) {
    if (phase_ == Phase::lingering) return linger(pool);
    if (!exchange_) exchange_ = pool.take();
    if (exchange_->output().empty()) return receive(service, pool);
    const Wants wants = send_answers(service, pool);
    if (wants != Wants::to_read || !input_held_) return wants;
    return answer_requests(service, pool);
}

// The way of a request, as far as it goes without waiting:
//     receive            one recv
//     answer_requests    for each request that is here:
//       answer_one         Exchange::advance: the head is read and checked, a small body gathered
//                          Exchange::run_app: the app is called, its response queued, the access log's line written
//     send_answers       one send for all of them
//     wait_for_input     the memory goes back to the pool, the deadline is set
Connection::Wants Connection::receive(Service& service, ExchangePool& pool) {
    const InputBuffer::Room room = exchange_->input().room();
    const ssize_t got = ::recv(socket_.get(), room.data, room.size, 0);
    if (got > 0) {
        exchange_->input().commit(static_cast<std::size_t>(got));
        return preamble_read_ ? answer_requests(service, pool) : read_preamble(service, pool);
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait_for_input(service, pool);
    return close(pool); // it left, if need be in the middle of a request
}

Connection::Wants Connection::read_preamble(Service& service, ExchangePool& pool) {
    switch (take_preamble(exchange_->input(), peer_, service)) {
        case Preamble::need_more:
            return wait_for_input(service, pool);
        case Preamble::refused:
            return close(pool);
        case Preamble::done:
            break;
    }
    preamble_read_ = true;
    return answer_requests(service, pool);
}

// Serves the requests that have arrived, and sends the answers together.
Connection::Wants Connection::answer_requests(Service& service, ExchangePool& pool) {
    for (;;) {
        input_held_ = false;
        while (!input_held_ && answer_one(service) && !exchange_->input().empty()) {
            // A client that does not take its answers gets no more of them.
            input_held_ = exchange_->output().waiting_bytes() >= Exchange::output_high_water;
        }
        const Wants wants = send_answers(service, pool);
        if (wants != Wants::to_read || !input_held_) return wants;
    }
}

// True if a request was answered and the next one may follow.
bool Connection::answer_one(Service& service) {
    switch (exchange_->advance(peer_, service)) {
        case Exchange::Reading::need_more:
            last_answer_ = exchange_->answered() && exchange_->close_after();
            return false;
        case Exchange::Reading::ready:
            exchange_->run_app(socket_.get(), peer_, service);
            answered_any_ = true;
            break;
        case Exchange::Reading::refused:
        case Exchange::Reading::done:
            break;
    }
    last_answer_ = exchange_->close_after();
    if (last_answer_) return false;
    if (exchange_->reading_body()) return answer_one(service); // what the app left of it is dropped
    exchange_->next_request();
    phase_ = Phase::idle;
    return true;
}

Connection::Wants Connection::send_answers(Service& service, ExchangePool& pool) {
    OutputQueue& output = exchange_->output();
    if (!output.empty()) {
        const auto result = output.flush(socket_.get(), !service.settings.no_sendfile);
        if (result == OutputQueue::Result::failed) return close(pool);
        if (result == OutputQueue::Result::waiting) {
            enter(Phase::writing, service.now(), output.sent_total());
            deadline_ = patience_.deadline(service.now(), output.sent_total(), service.settings.write_timeout);
            return Wants::to_write;
        }
    }
    if (last_answer_) return finish(service, pool);
    return wait_for_input(service, pool);
}

Connection::Wants Connection::wait_for_input(Service& service, ExchangePool& pool) {
    const WorkerSettings& settings = service.settings;
    if (exchange_->untouched()) {
        pool.give_back(std::move(exchange_));
        phase_ = Phase::idle;
        patience_.begin(service.now(), 0);
        const auto patience =
            service.leaving() ? std::min<Milliseconds>(parting_time, settings.keep_alive) : settings.keep_alive;
        if (answered_any_) deadline_ = service.now() + patience;
        return Wants::to_read; // else the deadline for the first byte runs on
    }
    if (exchange_->reading_body()) {
        enter(Phase::body, service.now(), exchange_->body_received());
        deadline_ = patience_.deadline(service.now(), exchange_->body_received(), settings.body_timeout);
    } else {
        enter(Phase::head, service.now());
        const Time head_deadline = deadline_after(patience_.began(), settings.header_timeout);
        // A PROXY header and the head behind it have one deadline together, since the connection began.
        deadline_ = preamble_first_ && !answered_any_ ? std::min(deadline_, head_deadline) : head_deadline;
    }
    return Wants::to_read;
}

// `bytes`: what has gone through when it begins.
void Connection::enter(Phase phase, Time now, std::uint64_t bytes) {
    if (phase == phase_) return;
    phase_ = phase;
    patience_.begin(now, bytes);
}

Connection::Wants Connection::overdue(Service& service, ExchangePool& pool) {
    const bool half_sent = (phase_ == Phase::head || phase_ == Phase::body) && !exchange_->answered();
    if (!half_sent || !preamble_read_ || exchange_->no_request()) return close(pool);
    exchange_->refuse(408, phase_ == Phase::head ? "the head took too long" : "the body took too long", peer_, service);
    last_answer_ = true;
    return send_answers(service, pool);
}

Connection::Wants Connection::leave(Service& service, ExchangePool& pool) {
    if (phase_ != Phase::idle) return exchange_ && !exchange_->output().empty() ? Wants::to_write : Wants::to_read;
    const Time until = (answered_any_ ? patience_.began() : service.now()) + parting_time;
    deadline_ = std::min(deadline_, until);
    if (service.now() < until) return Wants::to_read;
    const Wants wants = serve(service, pool); // a request may have arrived
    return wants == Wants::to_read && phase_ == Phase::idle ? close(pool) : wants;
}

// The last answer is out. A client that may still be sending must get to read it: no close before it is done, or has
// had its time.
Connection::Wants Connection::finish(const Service& service, ExchangePool& pool) {
    if (exchange_->cut()) {
        const struct linger abort { 1, 0 };
        if (exchange_->cut_needs_reset()) ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        return close(pool);
    }
    if (!exchange_->client_may_send()) return close(pool);
    ::shutdown(socket_.get(), SHUT_WR);
    pool.give_back(std::move(exchange_));
    enter(Phase::lingering, service.now());
    deadline_ = patience_.began() + linger_time;
    return linger(pool);
}

Connection::Wants Connection::linger(ExchangePool& pool) {
    char dropped[16 * 1024];
    const ssize_t got = ::recv(socket_.get(), dropped, sizeof dropped, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Wants::to_read;
    if (got <= 0) return close(pool);
    lingered_bytes_ += static_cast<std::uint32_t>(got);
    return lingered_bytes_ > linger_bytes ? close(pool) : Wants::to_read;
}

Connection::Wants Connection::close(ExchangePool& pool) {
    pool.give_back(std::move(exchange_));
    return Wants::to_close;
}

} // namespace cppcorn

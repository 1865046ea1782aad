#include "workers/connection/connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "workers/connection/proxy_preamble.hpp"
#include "workers/connection/shared_seats.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

// For the next request of a client that has just had its answer or has just come when the worker has to retire: it is
// on its way, as a rule, and a close would meet it.
constexpr auto parting_time = 1s;

bool expects_preamble(const WorkerSettings& settings) {
    return settings.proxy_protocol != http::ProxyProtocol::off;
}

std::string_view failure_of(const OutputQueue& output) {
    return output.file_failed() ? "a file is shorter than announced, or cannot be read" : "the client is gone";
}

} // namespace

Connection::Connection(const Peer& peer, const WorkerSettings& settings, SteadyTime now)
    : peer_(peer),
      phase_(expects_preamble(settings) ? Phase::preamble : Phase::idle),
      deadline_(deadline_after(now, settings.header_timeout)) {}

std::optional<Connection> Connection::resume(MovedConnection& moved, const ListeningSocket& listener,
                                             const Turn& turn) {
    const ConnectionRecord& record = moved.record;
    Peer peer;
    std::memcpy(peer.address, record.address, sizeof peer.address);
    peer.port = record.port;
    peer.listener = &listener;
    peer.trusted = (record.flags & Seat::trusted) != 0;
    peer.may_send_preamble = (record.flags & Seat::may_send_preamble) != 0;
    std::optional<Connection> connection(std::in_place, peer, turn.context.settings, turn.context.now());
    if (!connection->take_over(moved, turn)) {
        turn.pool.give_back(std::move(connection->exchange_));
        connection.reset();
    }
    return connection;
}

bool Connection::take_over(MovedConnection& moved, const Turn& turn) {
    const ConnectionRecord& record = moved.record;
    const RequestState& state = record.request;
    const auto time_at = [](std::int64_t ns) { return SteadyTime(SteadyClock::duration(ns)); };
    phase_ = record.phase;
    if (phase_ == Phase::preamble && !expects_preamble(turn.context.settings)) phase_ = Phase::idle;
    answered_any_ = (record.flags & Seat::answered_any) != 0;
    deadline_ = time_at(record.deadline);
    if (phase_ == Phase::lingering) {
        lingering_ = std::make_unique<Lingering>();
        lingering_->resume(turn.stream, turn.context, time_at(record.began), deadline_);
        deadline_ = lingering_->deadline();
        return true;
    }
    const bool has_request = !moved.bytes.empty() || state.stage != Stage::fresh || state.file_count > 0;
    if (has_request) {
        exchange_ = turn.pool.take();
        if (!exchange_->resume(moved, peer_, turn.context)) return false;
        const bool is_reading = phase_ == Phase::head || phase_ == Phase::body;
        if (is_reading && exchange_->stage() == Stage::fresh && exchange_->input().empty()) return false;
        input_held_ = state.has(RequestState::input_held) && !exchange_->input().empty();
        ending_ = exchange_->stage() == Stage::answered ? exchange_->ending() : Ending::keep;
        if (!exchange_->output().empty() && exchange_->ends_with_connection()) turn.stream.set_reset_on_close(true);
    }
    patience_.begin(time_at(record.began), bytes_through() - record.passed);
    const bool needs_exchange = phase_ == Phase::head || phase_ == Phase::body || phase_ == Phase::writing;
    // The limits are those of this worker.
    if (phase_ == Phase::idle && answered_any_) deadline_ = patience_.began() + turn.context.settings.keep_alive;
    return has_request || !needs_exchange;
}

ConnectionState Connection::state() const {
    switch (phase_) {
        case Phase::idle:
            return answered_any_ ? ConnectionState::idle : ConnectionState::fresh;
        case Phase::head:
            return ConnectionState::head;
        case Phase::body:
            return ConnectionState::body;
        case Phase::writing:
            return ConnectionState::writing;
        case Phase::lingering:
            return ConnectionState::closing;
        case Phase::preamble:
        case Phase::empty:
            break;
    }
    return ConnectionState::fresh;
}

// What its patience counts.
std::uint64_t Connection::bytes_through() const {
    if (phase_ == Phase::writing && exchange_) return exchange_->output().sent_total();
    return phase_ == Phase::body && exchange_ ? exchange_->body_received() : 0;
}

void Connection::park(Seat& seat, const Arena& arena) const {
    const auto ns = [](SteadyTime time) { return time.time_since_epoch().count(); };
    if (seat.phase.load(std::memory_order_relaxed) == Phase::preamble) write_peer(seat, peer_);
    seat.parked = 0;
    seat.deadline = ns(deadline_);
    seat.began = ns(phase_ == Phase::lingering ? lingering_->until() : patience_.began());
    if (answered_any_) seat.flags |= Seat::answered_any;
    Phase phase = phase_;
    if (exchange_) {
        seat.passed = patience_.passed(bytes_through());
        const ParkedRequest* const parked = exchange_->park(arena, input_held_);
        if (parked != nullptr) seat.parked = static_cast<std::uint32_t>(arena.offset_of(parked));
        if (parked == nullptr) phase = Phase::empty;
    }
    seat.phase.store(phase, std::memory_order_release);
}

void Connection::forget(ExchangePool& pool) {
    if (exchange_) exchange_->forget();
    pool.give_back(std::move(exchange_));
}

Connection::Wants Connection::serve(const Turn& turn) {
    if (phase_ == Phase::lingering) return linger(turn);
    if (is_stalled_) return close(turn); // it is watched for nothing but the client's end
    if (!exchange_) exchange_ = turn.pool.take();
    const OutputQueue& output = exchange_->output();
    turn.context.desk.begin(turn.fd, turn.generation, turn.stream, turn.parked);
    if (!output.empty() || input_held_) turn.context.desk.resume(exchange_->input().unconsumed());
    if (output.empty()) return input_held_ ? answer_requests(turn) : receive(turn);
    const Wants wants = send_answers(turn);
    if (wants != Wants::to_read || !input_held_) return wants;
    return answer_requests(turn);
}

// The way of a request, as far as it goes without waiting:
//     receive            one read
//     answer_requests    for each request that is here:
//       answer_one         Exchange::advance: the head is read and checked, a small body gathered
//                          Exchange::run_app: the app is called, its response queued, the access log's line written
//     send_answers       one write for all of them, before each that may take long, and when the turn is over
//     wait_for_input     the memory goes back to the pool, the deadline is set
Connection::Wants Connection::receive(const Turn& turn) {
    const InputBuffer::Room room = exchange_->input().room();
    turn.context.desk.read_to(exchange_->input().unconsumed(), room.size);
    const std::int64_t got = turn.stream.read(room.data, room.size);
    if (got > 0) {
        turn.context.desk.note_read(static_cast<std::size_t>(got));
        has_received_ = true;
        exchange_->input().commit(static_cast<std::size_t>(got));
        return phase_ == Phase::preamble ? read_preamble(turn) : answer_requests(turn);
    }
    if (got == -EAGAIN) return nothing_new(turn);
    return close(turn); // the client has gone, if need be in the middle of a request
}

Connection::Wants Connection::read_preamble(const Turn& turn) {
    switch (take_preamble(exchange_->input(), peer_, turn.context)) {
        case Preamble::need_more:
            return wait_for_input(turn);
        case Preamble::refused:
            return close(turn);
        case Preamble::done:
            break;
    }
    phase_ = Phase::idle;
    return answer_requests(turn);
}

// Serves the requests that have arrived, and sends the answers together.
Connection::Wants Connection::answer_requests(const Turn& turn) {
    const SteadyTime turn_ends = turn.context.now() + turn_time;
    for (;;) {
        input_held_ = false;
        while (!input_held_ && answer_one(turn) && !exchange_->input().empty()) {
            input_held_ = has_answers_enough() || turn.context.now() >= turn_ends; // others get in
        }
        const Wants wants = send_answers(turn);
        if (wants != Wants::to_read || !input_held_) return wants;
        if (turn.context.now() >= turn_ends) return Wants::to_go_on;
    }
}

// A client that does not take its answers gets no more of them. Descriptors are fewer than bytes.
bool Connection::has_answers_enough() const {
    const OutputQueue& output = exchange_->output();
    return output.holds_file() || output.waiting_bytes() >= ResponseStream::high_water;
}

// True if a request was answered and the next one may follow.
bool Connection::answer_one(const Turn& turn) {
    if (exchange_->stage() == Stage::answered) exchange_->next_request();
    Stage stage = exchange_->advance(peer_, turn.context);
    if (stage == Stage::offered) {
        if (exchange_->output().flush(turn.stream) == OutputQueue::Result::failed) return false;
        exchange_->ask_app(turn.stream, peer_, turn.context);
        stage = exchange_->advance(peer_, turn.context);
        if (stage == Stage::answered || stage == Stage::draining) answered_any_ = true;
    }
    if (stage == Stage::ready) {
        QuickRequests::Record* record = nullptr; // looked up where it matters
        if (!exchange_->output().empty()) {
            record = &turn.quick.of(exchange_->request_line());
            if (!send_before_slow(turn, *record)) return false;
        }
        const SteadyTime began = turn.context.now();
        exchange_->run_app(turn.stream, peer_, turn.context);
        const bool was_quick = turn.context.now() - began < turn_time;
        if (record == nullptr && !was_quick) record = &turn.quick.of(exchange_->request_line());
        if (record != nullptr) record->note(was_quick);
        answered_any_ = true;
        stage = exchange_->stage();
        // What the app left of the body is dropped.
        if (stage == Stage::draining) stage = exchange_->advance(peer_, turn.context);
    }
    if (stage != Stage::answered) return false;
    ending_ = exchange_->ending();
    if (ending_ != Ending::keep) return false;
    phase_ = Phase::idle;
    return true;
}

// The answers before a request wait for its own only where it is known to be quick. False: the client has gone.
bool Connection::send_before_slow(const Turn& turn, const QuickRequests::Record& record) {
    return record.is_quick() || exchange_->output().flush(turn.stream) != OutputQueue::Result::failed;
}

Connection::Wants Connection::send_answers(const Turn& turn) {
    OutputQueue& output = exchange_->output();
    if (!output.empty()) {
        const auto result = output.flush(turn.stream);
        if (result == OutputQueue::Result::failed) return cut(turn, failure_of(output));
        if (result == OutputQueue::Result::waiting) {
            exchange_->note_waiting(turn.context);
            if (exchange_->ends_with_connection()) turn.stream.set_reset_on_close(true); // until all of it is sent
            return wait_for_reader(turn);
        }
    }
    exchange_->note_sent(turn.context);
    if (ending_ != Ending::keep) return finish(turn);
    return wait_for_input(turn);
}

// What the kernel has taken and the client has not is not through: else a long buffer would look like a pause.
Connection::Wants Connection::wait_for_reader(const Turn& turn) {
    const WorkerSettings& settings = turn.context.settings;
    const SteadyTime now = turn.context.now();
    const std::uint64_t sent = exchange_->output().sent_total();
    const std::uint64_t taken = sent - std::min(sent, turn.stream.untaken());
    enter(Phase::writing, now, taken);
    deadline_ = patience_.deadline(now, taken, settings.write_timeout, settings.min_rate);
    return Wants::to_write;
}

Connection::Wants Connection::wait_for_body(const Turn& turn) {
    const WorkerSettings& settings = turn.context.settings;
    const SteadyTime now = turn.context.now();
    enter(Phase::body, now, exchange_->body_received());
    is_stalled_ = exchange_->wants_room();
    deadline_ = patience_.deadline(now, exchange_->body_received(), settings.body_timeout, settings.min_rate);
    return is_stalled_ ? Wants::to_have_room : Wants::to_read;
}

Connection::Wants Connection::go_on_with_room(const Turn& turn) {
    if (!is_stalled_) return present_wants();
    is_stalled_ = false;
    patience_.begin(turn.context.now(), exchange_->body_received()); // the client was not waited for
    return answer_requests(turn);
}

Connection::Wants Connection::wait_for_input(const Turn& turn) {
    if (exchange_->stage() == Stage::answered) exchange_->next_request();
    const WorkerSettings& settings = turn.context.settings;
    const SteadyTime now = turn.context.now();
    const Stage stage = exchange_->stage();
    const bool nothing_here = exchange_->input().empty();
    if (stage == Stage::fresh && (nothing_here || phase_ != Phase::preamble)) { // line ends alone are no request
        if (nothing_here) turn.pool.give_back(std::move(exchange_));
        if (phase_ != Phase::preamble) phase_ = Phase::idle;
        patience_.begin(now, 0);
        const auto patience = turn.context.ends_connections()
                                  ? std::min<Milliseconds>(parting_time, settings.keep_alive)
                                  : settings.keep_alive;
        if (answered_any_) deadline_ = now + patience;
        return Wants::to_read; // else the deadline for the first byte runs on
    }
    if (phase_ == Phase::preamble) return Wants::to_read; // it shares the deadline of the first byte
    if (stage > Stage::head) return wait_for_body(turn);
    enter(Phase::head, now);
    const SteadyTime head_deadline = deadline_after(patience_.began(), settings.header_timeout);
    // A PROXY header and the head behind it have one deadline together, since the connection began.
    deadline_ = expects_preamble(settings) && !answered_any_ ? std::min(deadline_, head_deadline) : head_deadline;
    return Wants::to_read;
}

// It waits on as it did, until the same deadline.
Connection::Wants Connection::nothing_new(const Turn& turn) {
    if (exchange_->stage() == Stage::fresh && exchange_->input().empty()) turn.pool.give_back(std::move(exchange_));
    return Wants::to_read;
}

// `bytes`: what has gone through when it begins.
void Connection::enter(Phase phase, SteadyTime now, std::uint64_t bytes) {
    if (phase == phase_) return;
    phase_ = phase;
    patience_.begin(now, bytes);
}

Connection::Wants Connection::overdue(const Turn& turn) {
    if (phase_ == Phase::lingering) return linger_on(turn);
    if (is_stalled_) return exchange_->has_room() ? go_on_with_room(turn) : give_up(turn);
    has_received_ = false;
    const Wants wants = serve(turn);
    const bool is_settled = wants == Wants::to_close || turn.context.now() < deadline_;
    // There may be more of a long head or body: it is asked again, being overdue still.
    if (is_settled || has_received_) return wants;
    return give_up(turn);
}

Connection::Wants Connection::give_up(const Turn& turn) {
    const bool is_reading = phase_ == Phase::head || phase_ == Phase::body;
    const Stage stage = is_reading ? exchange_->stage() : Stage::fresh;
    if (stage != Stage::head && stage != Stage::body) return close_unanswered(turn);
    if (std::exchange(is_stalled_, false)) {
        exchange_->refuse(503, "no room in the spool for the body", peer_, turn.context);
    } else {
        const char* reason = stage == Stage::head ? "the head took too long" : "the body took too long";
        exchange_->refuse(408, reason, peer_, turn.context);
    }
    ending_ = exchange_->ending();
    return send_answers(turn);
}

Connection::Wants Connection::retire(const Turn& turn) {
    if (phase_ == Phase::lingering) {
        lingering_->retire(turn.context);
        deadline_ = lingering_->deadline();
    }
    if (is_idle()) {
        const SteadyTime since = answered_any_ ? patience_.began() : turn.context.now();
        deadline_ = std::min(deadline_, since + parting_time);
    }
    return present_wants();
}

Connection::Wants Connection::present_wants() const {
    if (is_stalled_) return Wants::to_have_room;
    if (exchange_ && !exchange_->output().empty()) return Wants::to_write;
    return input_held_ ? Wants::to_go_on : Wants::to_read;
}

Connection::Wants Connection::make_place(const Turn& turn) {
    has_received_ = false;
    const Wants wants = serve(turn); // what has come meanwhile is answered
    return wants == Wants::to_read && !has_received_ && is_idle() ? close_unanswered(turn) : wants;
}

// The last answer is out. A client that may still be sending must get to read it: no close before it is done, or has
// had its time.
Connection::Wants Connection::finish(const Turn& turn) {
    switch (ending_) {
        case Ending::reset:
            turn.stream.set_reset_on_close(true);
            return close(turn);
        case Ending::keep:
            return close(turn);
        case Ending::close:
            break;
        case Ending::linger:
            turn.stream.set_reset_on_close(false);
            return begin_lingering(turn);
    }
    turn.stream.set_reset_on_close(false);
    // The client has asked for the end, so it is not waited for, unless it has sent more since.
    turn.stream.close_write();
    char more[1];
    return turn.stream.read(more, sizeof more) > 0 ? begin_lingering(turn) : close(turn);
}

Connection::Wants Connection::begin_lingering(const Turn& turn) {
    turn.stream.close_write();
    turn.pool.give_back(std::move(exchange_));
    phase_ = Phase::lingering;
    lingering_ = std::make_unique<Lingering>();
    lingering_->begin(turn.stream, turn.context);
    deadline_ = lingering_->deadline();
    return linger(turn);
}

Connection::Wants Connection::linger(const Turn& turn) {
    return lingering_->drop(turn.stream) ? Wants::to_read : close(turn);
}

Connection::Wants Connection::linger_on(const Turn& turn) {
    if (!lingering_->drop_all(turn.stream) || !lingering_->go_on(turn.stream, turn.context)) return close(turn);
    deadline_ = lingering_->deadline();
    return Wants::to_read;
}

// Between requests, in the middle of an answer, or of a body whose answer is out. A client that is still taking its last
// answer may send more while it does.
Connection::Wants Connection::close_unanswered(const Turn& turn) {
    if (phase_ == Phase::writing) return cut(turn, "the client does not read");
    const bool is_draining = phase_ == Phase::body && exchange_->stage() == Stage::draining;
    const bool may_meet_a_reset = is_draining || (phase_ == Phase::idle && answered_any_ && turn.stream.untaken() > 0);
    return may_meet_a_reset ? begin_lingering(turn) : close(turn);
}

// The rest of the answers is never sent.
Connection::Wants Connection::cut(const Turn& turn, std::string_view reason) {
    if (exchange_->ends_with_connection()) turn.stream.set_reset_on_close(true);
    exchange_->note_cut(reason, peer_, turn.context);
    return close(turn);
}

void Connection::abandon(const Turn& turn) {
    if (exchange_ && !exchange_->output().empty()) cut(turn, "the worker exits");
}

Connection::Wants Connection::close(const Turn& turn) {
    turn.pool.give_back(std::move(exchange_));
    return Wants::to_close;
}

} // namespace cppcorn

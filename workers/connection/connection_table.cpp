#include "workers/connection/connection_table.hpp"

#include <optional>

#include <spdlog/spdlog.h>

#include "workers/handover/move_queue.hpp"
#include "workers/handover/seat_image.hpp"

namespace cppcorn {
namespace {

std::uint64_t tag_of(int fd, unsigned generation) {
    return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

std::uint32_t interest_of(Connection::Wants wants) {
    switch (wants) {
        case Connection::Wants::to_write:
            return EPOLLOUT;
        case Connection::Wants::to_have_room:
            return 0; // the client's end is told in any case
        default:
            return EPOLLIN;
    }
}

// To find one that can be closed. What came from a client meanwhile is served.
constexpr int tries_for_place = 8;

} // namespace

ConnectionTable::ConnectionTable(WorkerContext& context, Epoll& epoll)
    : context_(context), epoll_(epoll), pool_(context.settings), shared_(context.memory) {}

ConnectionTable::~ConnectionTable() {
    for (std::size_t fd = 0; fd < seats_.size(); ++fd) {
        if (seats_[fd].client) seats_[fd].client->connection.abandon(turn_of(static_cast<int>(fd)));
    }
}

Turn ConnectionTable::turn_of(int fd) {
    Seat& seat = seats_[fd];
    return {seat.client->stream, context_, pool_, quick_, fd, seat.generation, shared_.parked(fd)};
}

bool ConnectionTable::admit(SocketStream stream, const Peer& peer) {
    note_calls(stream, *peer.listener);
    const int fd = stream.fd();
    const unsigned generation = next_generation();
    Connection connection(peer, context_.settings, context_.now());
    shared_.sit(fd, generation, peer, connection.phase(), connection.deadline());
    return admit(std::move(stream), std::move(connection), generation);
}

bool ConnectionTable::take_over(MovedConnection moved) {
    const ListeningSocket* const listener = listeners_.find(moved.record.listener);
    SocketStream stream(std::move(moved.socket), !context_.settings.no_sendfile);
    stream.add_received(moved.record.received);
    stream.add_sent(moved.record.sent);
    if (listener != nullptr) note_calls(stream, *listener);
    const int fd = stream.fd();
    const unsigned generation = next_generation();
    auto connection = listener != nullptr
                          ? Connection::resume(moved, *listener, {stream, context_, pool_, quick_, fd, generation})
                          : std::nullopt;
    if (!connection) {
        spdlog::warn("A connection from another worker is closed: nothing can be made of it");
        context_.note_arrival(Arrival::none);
        return false;
    }
    shared_.sit(fd, generation, connection->peer(), connection->phase(), connection->deadline());
    park(fd, stream, *connection);
    return admit(std::move(stream), std::move(*connection), generation);
}

bool ConnectionTable::admit(SocketStream stream, Connection connection, unsigned generation) {
    const int fd = stream.fd();
    const Turn turn{stream, context_, pool_, quick_, fd, generation, shared_.parked(fd)};
    Connection::Wants wants = connection.serve(turn);
    if (retiring_ && wants != Connection::Wants::to_close) wants = connection.retire(turn);
    const bool is_kept = wants != Connection::Wants::to_close;
    const bool is_one_too_many = is_kept && has_no_place();
    if (is_kept) {
        park(fd, stream, connection);
        seat(generation, std::make_unique<Client>(std::move(stream), std::move(connection)), wants);
    } else {
        shared_.leave(fd);
    }
    context_.note_arrival(Arrival::none); // the desk has it, or the seat, until here
    context_.desk.end();
    if (is_one_too_many) make_place(fd);
    return is_kept;
}

// The kernel does not count what goes through a unix socket.
void ConnectionTable::note_calls(SocketStream& stream, const ListeningSocket& listener) {
    if (context_.memory != nullptr && listener.server_port == 0) stream.note_calls(context_.memory->notes().calls);
}

// For those who go on with it, should this worker not.
void ConnectionTable::park(int fd, const SocketStream& stream, const Connection& connection) {
    cppcorn::Seat* const seat = shared_.seat_of(fd);
    if (seat == nullptr) return;
    seat->received = stream.received();
    seat->sent = stream.sent();
    connection.park(*seat, context_.memory->arena());
}

unsigned ConnectionTable::next_generation() {
    if (++last_generation_ == 0) last_generation_ = 1;
    return last_generation_;
}

void ConnectionTable::seat(unsigned generation, std::unique_ptr<Client> client, Connection::Wants wants) {
    const int fd = client->stream.fd();
    if (static_cast<std::size_t>(fd) >= seats_.size()) seats_.resize(static_cast<std::size_t>(fd) * 2 + 64);
    Seat& seat = seats_[fd];
    seat.generation = generation;
    seat.watched = interest_of(wants);
    seat.is_waiting = false;
    seat.scheduled_at = SteadyTime::max();
    epoll_.add(fd, seat.watched, tag_of(fd, seat.generation));
    seat.client = std::move(client);
    ++count_;
    seat.counted = seat.client->connection.state();
    counter_of(seat.counted).add();
    if (wants == Connection::Wants::to_go_on) wait_for_turn(fd);
    if (wants == Connection::Wants::to_have_room) stalled_.push_back(tag_of(fd, seat.generation));
    note_idleness(fd, seat.client->connection);
    schedule(fd);
}

void ConnectionTable::serve(std::uint64_t tag) {
    const int fd = static_cast<int>(tag & 0xffffffff);
    Seat& seat = seats_[fd];
    if (seat.generation != tag >> 32 || seat.is_waiting) return; // it gets its turn in any case
    settle(fd, seat.client->connection.serve(turn_of(fd)));
}

void ConnectionTable::serve_next_waiting() {
    const std::uint64_t tag = waiting_.front();
    waiting_.pop_front();
    shared_.note_waiting(--waiting_count_);
    Seat& seat = seats_[tag & 0xffffffff];
    if (seat.generation != tag >> 32) return;
    seat.is_waiting = false;
    serve(tag);
}

// Gives a connection what it wants next.
void ConnectionTable::settle(int fd, Connection::Wants wants) {
    Seat& seat = seats_[fd];
    if (wants == Connection::Wants::to_close) {
        shared_.leave(fd);
        note_gone(fd);
        seat.client.reset(); // closing takes it out of the epoll, too
        forget(seat);
        context_.desk.end();
        return;
    }
    const std::uint32_t interest = interest_of(wants);
    if (interest != seat.watched) {
        seat.watched = interest;
        epoll_.change(fd, interest, tag_of(fd, seat.generation));
        if (interest == 0) stalled_.push_back(tag_of(fd, seat.generation));
    }
    if (wants == Connection::Wants::to_go_on) wait_for_turn(fd);
    note_idleness(fd, seat.client->connection);
    note_state(seat);
    schedule(fd);
    park(fd, seat.client->stream, seat.client->connection);
    context_.desk.end();
}

// Nobody sits there any more.
void ConnectionTable::forget(Seat& seat) {
    seat.generation = 0;
    --count_;
    counter_of(seat.counted).subtract();
    forget_stale_deadlines();
}

// Their descriptors are closed, and may be others' by now.
void ConnectionTable::forget_moved() {
    for (std::size_t fd = 0; fd < seats_.size(); ++fd) {
        Seat& seat = seats_[fd];
        if (!seat.client || shared_.is_there(static_cast<int>(fd), seat.generation)) continue;
        seat.client->stream.forget();
        note_gone(static_cast<int>(fd));
        seat.client.reset();
        forget(seat);
    }
}

void ConnectionTable::wait_for_turn(int fd) {
    Seat& seat = seats_[fd];
    if (std::exchange(seat.is_waiting, true)) return;
    waiting_.push_back(tag_of(fd, seat.generation));
    shared_.note_waiting(++waiting_count_);
}

void ConnectionTable::schedule(int fd) {
    Seat& seat = seats_[fd];
    const SteadyTime deadline = seat.client->connection.deadline();
    if (deadline >= seat.scheduled_at) return;
    seat.scheduled_at = deadline;
    deadlines_.push({deadline, fd, seat.generation});
}

void ConnectionTable::expire_overdue() {
    const SteadyTime now = context_.now();
    while (const auto due = deadlines_.pop_due(now)) {
        Seat& seat = seats_[due->number];
        if (seat.generation != due->generation || seat.scheduled_at != due->at) continue;
        seat.scheduled_at = SteadyTime::max();
        Connection& connection = seat.client->connection;
        if (now >= connection.deadline()) {
            settle(due->number, connection.overdue(turn_of(due->number)));
        } else {
            schedule(due->number);
        }
        if (context_.now() > now) return; // the app has run: who has been waiting for that comes first
    }
}

void ConnectionTable::note_idleness(int fd, const Connection& connection) {
    if (connection.is_between_requests()) {
        between_requests_.add(fd);
        silent_.remove(fd);
        return;
    }
    between_requests_.remove(fd);
    if (!connection.is_silent()) {
        silent_.remove(fd);
    } else if (!silent_.contains(fd)) {
        silent_.add(fd);
    }
}

void ConnectionTable::note_state(Seat& seat) {
    const ConnectionState state = seat.client->connection.state();
    if (state == seat.counted) return;
    counter_of(seat.counted).subtract();
    counter_of(state).add();
    seat.counted = state;
}

void ConnectionTable::make_sure_of_idle() {
    for (int tries = 0; has_no_place() && tries < tries_for_place; ++tries) {
        const int fd = longest_idle();
        if (fd == IdleList::nobody) return;
        if (!shared_.is_there(fd, seats_[fd].generation)) return forget_moved();
        Client& client = *seats_[fd].client;
        if (!client.stream.wait_until(Stream::Interest::to_read, context_.now())) return;
        settle(fd, client.connection.serve(turn_of(fd)));
    }
}

bool ConnectionTable::make_place(int newcomer) {
    for (int tries = 0; tries < tries_for_place; ++tries) {
        const int fd = longest_idle(newcomer);
        if (fd == IdleList::nobody) return false;
        const int count = count_;
        if (!shared_.is_there(fd, seats_[fd].generation)) {
            forget_moved();
            return true;
        }
        settle(fd, seats_[fd].client->connection.make_place(turn_of(fd)));
        if (count_ < count) return true;
    }
    return false;
}

// The one that has waited longest first, each as far as there is room for it.
void ConnectionTable::serve_stalled() {
    for (std::size_t left = stalled_.size(); left > 0; --left) {
        const std::uint64_t tag = stalled_.front();
        stalled_.pop_front();
        const int fd = static_cast<int>(tag & 0xffffffff);
        Seat& seat = seats_[fd];
        const bool is_stalled = seat.generation == tag >> 32 && seat.watched == 0;
        if (!is_stalled || !shared_.is_there(fd, seat.generation)) continue;
        if (!seat.client->connection.has_room()) {
            stalled_.push_back(tag);
            continue;
        }
        seat.watched = ~0U; // so that it is put right, and queued once more should it want room again
        settle(fd, seat.client->connection.go_on_with_room(turn_of(fd)));
    }
}

// Connections that come and go leave their entries behind, which must not pile up until their time comes.
void ConnectionTable::forget_stale_deadlines() {
    if (deadlines_.size() < 1024 + 4 * static_cast<std::size_t>(count_)) return;
    deadlines_.keep_if([this](const DeadlineHeap::Entry& entry) {
        const Seat& seat = seats_[entry.number];
        return seat.generation == entry.generation && seat.scheduled_at == entry.at;
    });
}

bool ConnectionTable::give_away() {
    for (std::size_t fd = 0; fd < seats_.size() && count_ > 0; ++fd) {
        if (seats_[fd].client && give_away(static_cast<int>(fd)) == Given::no_room) return false;
    }
    return true;
}

ConnectionTable::Given ConnectionTable::give_away(int fd) {
    Seat& seat = seats_[fd];
    ConnectionImage image;
    if (!image_of(*context_.memory, fd, image)) return Given::stays;
    // Should the worker die now, it must not be given away twice, nor not at all.
    WorkerNotes& notes = context_.memory->notes();
    notes.leave_message.msg_len = 0;
    notes.leaving.store(fd + 1, std::memory_order_release);
    const auto put = context_.queue->put(image, notes.leave_message);
    if (put == MoveQueue::Put::sent) shared_.leave(fd);
    notes.leaving.store(0, std::memory_order_release);
    if (put != MoveQueue::Put::sent) return put == MoveQueue::Put::full ? Given::no_room : Given::stays;
    epoll_.remove(fd); // another process has it, so that to close it is not enough
    seat.client->connection.forget(pool_);
    context_.slot.counters.moved_from_retiring.add();
    note_gone(fd);
    seat.client.reset();
    forget(seat);
    return Given::gone;
}

void ConnectionTable::retire() {
    if (retiring_) return;
    retiring_ = true;
    for (std::size_t fd = 0; fd < seats_.size(); ++fd) {
        Seat& seat = seats_[fd];
        if (seat.client) settle(static_cast<int>(fd), seat.client->connection.retire(turn_of(static_cast<int>(fd))));
    }
}

} // namespace cppcorn

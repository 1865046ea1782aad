// One client's connection: who is there, the exchange under way if there is one, and a deadline. Between requests it
// holds no more than that and can be moved. It waits for nothing itself: the worker's loop calls it when the stream is
// ready or the deadline has passed, and it answers what it wants next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "workers/connection/lingering.hpp"
#include "workers/connection/quick_requests.hpp"
#include "workers/context/patience.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/exchange_pool.hpp"
#include "workers/handover/moved_connection.hpp"
#include "workers/handover/seat.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

// What a connection is given with each call: its own stream, and what all of the worker's connections share.
struct Turn {
    Stream& stream;
    WorkerContext& context;
    ExchangePool& pool;
    QuickRequests& quick;
    // Its seat, for the desk (workers/context/worker_desk.hpp).
    int fd = -1;
    std::uint32_t generation = 0;
    std::uint32_t parked = 0; // what the seat says of a request that has begun
};

class Connection {
  public:
    // to_go_on: requests are left that it has read, and the other clients come first. to_have_room: a body waits for
    // room in the spool, and nothing is to be read until go_on_with_room().
    enum class Wants : std::uint8_t { to_read, to_write, to_go_on, to_have_room, to_close };

    Connection(const Peer& peer, const WorkerSettings& settings, SteadyTime now);
    // One that has come from another worker, and goes on as it was; served next. `listener` is the one that it came by,
    // and outlives it. nullopt: what is told of it makes no sense.
    static std::optional<Connection> resume(MovedConnection& moved, const ListeningSocket& listener, const Turn& turn);

    // The stream is ready for what was wanted, or may be (just accepted). Serves the complete requests that are here, one
    // after another until they have taken turn_time.
    Wants serve(const Turn& turn);
    // The deadline has passed, perhaps while the worker was busy with another client: what the client has sent or taken
    // meanwhile is looked for first, and counts. One that is overdue still is to be asked again.
    Wants overdue(const Turn& turn);
    // It wanted room in the spool, and there may be some.
    Wants go_on_with_room(const Turn& turn);
    bool has_room() const { return !is_stalled_ || exchange_->has_room(); }
    // A newcomer needs its place: closes it if nothing has come from the client and no answer would be lost.
    Wants make_place(const Turn& turn);
    // What make_place() may close. Between two requests, or before the first.
    bool is_between_requests() const { return phase_ == Phase::idle && answered_any_; }
    bool is_silent() const { return is_idle() && !answered_any_; }
    // The worker is retiring: a connection that has been idle for a second is overdue now; the others have what is left
    // of that second, and one that has not said anything yet a whole one.
    Wants retire(const Turn& turn);

    // Writes down in its seat how it is, for those who go on with it; between turns. Who the client is stands there
    // already, but for what a PROXY header tells. Phase `empty`: nobody else could go on with it.
    void park(Seat& seat, const Arena& arena) const;
    // Somebody else goes on with it.
    void forget(ExchangePool& pool);

    // The worker exits, whatever is under way.
    void abandon(const Turn& turn);

    SteadyTime deadline() const { return deadline_; }
    const Peer& peer() const { return peer_; }
    SeatPhase phase() const { return phase_; }
    // The same for those who count.
    ConnectionState state() const;

    // More than a reading of the coarse clock may be off, so that few turns end by its tick.
    static constexpr Milliseconds turn_time{5};

  private:
    // What it waits for. preamble: a PROXY header, before the first request.
    using Phase = SeatPhase;

    std::uint64_t bytes_through() const;
    bool take_over(MovedConnection& moved, const Turn& turn);
    Wants receive(const Turn& turn);
    Wants read_preamble(const Turn& turn);
    Wants answer_requests(const Turn& turn);
    bool answer_one(const Turn& turn);
    bool has_answers_enough() const;
    bool send_before_slow(const Turn& turn, const QuickRequests::Record& record);
    Wants send_answers(const Turn& turn);
    Wants wait_for_input(const Turn& turn);
    Wants wait_for_body(const Turn& turn);
    Wants wait_for_reader(const Turn& turn);
    Wants nothing_new(const Turn& turn);
    Wants give_up(const Turn& turn);
    Wants finish(const Turn& turn);
    Wants begin_lingering(const Turn& turn);
    Wants linger(const Turn& turn);
    Wants linger_on(const Turn& turn);
    Wants close_unanswered(const Turn& turn);
    Wants cut(const Turn& turn, std::string_view reason);
    Wants close(const Turn& turn);
    void enter(Phase phase, SteadyTime now, std::uint64_t bytes = 0);
    Wants present_wants() const;
    bool is_idle() const { return phase_ == Phase::idle || (phase_ == Phase::preamble && !exchange_); }

    Peer peer_;
    std::unique_ptr<Exchange> exchange_;
    Phase phase_;
    Ending ending_ = Ending::keep; // of the last answer; behind one that does not keep the connection, nothing is read
    bool answered_any_ = false;
    bool has_received_ = false;            // since overdue() looked
    bool is_stalled_ = false;              // wants room in the spool
    bool input_held_ = false;              // complete requests may wait in the input, for the client or for their turn
    Patience patience_;                    // with the present phase
    std::unique_ptr<Lingering> lingering_; // in that phase; few come to it
    SteadyTime deadline_;
};

} // namespace cppcorn

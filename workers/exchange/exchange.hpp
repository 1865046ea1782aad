// One request and its response, from the first byte read to the last byte queued. Holds all the memory that this takes,
// so that a connection that is idle holds none; exchanges are used again and again. The functions that the app calls
// end here (workers/exchange/host.cpp passes them on).
//
//     fresh ─────► head ─────► body ─────► ready ─────► draining ─────► answered
//       bytes of     head read   enough of   run_app()    the rest of     next_request(): fresh again
//       a request      │  ▲      its body                 its body is
//                      ▼  │      is here                  dropped
//                    offered     ask_app(): does it want the body? Only where that is large and the app has before_body
//
//     fresh, head, body ─────► answered      refused: the answer is the server's, and ends the connection
//     ready ─────► answered                  nothing is left of the body, or it is not worth reading
#pragma once

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cppcorn/abi.h>

#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/app_call.hpp"
#include "workers/exchange/app_request.hpp"
#include "workers/exchange/exchange_log.hpp"
#include "workers/exchange/parking.hpp"
#include "workers/exchange/request_body.hpp"
#include "workers/exchange/response_stream.hpp"
#include "workers/handover/request_state.hpp"
#include "workers/http/request_parser.hpp"
#include "workers/transport/input_buffer.hpp"
#include "workers/transport/output_queue.hpp"

namespace cppcorn {

class Exchange {
  public:
    // The settings outlive it.
    explicit Exchange(const WorkerSettings& settings);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    // In the arena, where others can read what it parks: short texts are within it.
    static void* operator new(std::size_t size) { return detail::arena_allocate(size); }
    static void operator delete(void* exchange, std::size_t size) { detail::arena_deallocate(exchange, size); }

    InputBuffer& input() { return input_; }
    OutputQueue& output() { return output_; }

    // The one question: how far is it, now that there may be more input?
    Stage advance(const Peer& peer, WorkerContext& context);
    Stage stage() const { return stage_; }
    // Once answered.
    Ending ending() const { return ending_; }
    std::uint64_t body_received() const { return body_.received(); }
    // Its body waits for room in the spool: nothing is to be read until there is some.
    bool wants_room() const { return body_.wants_room(); }
    bool has_room() const { return body_.has_room(); }
    // Once offered or ready.
    std::string_view request_line() const { return parser_.head().line; }

    // When offered: asks the app, which may answer the request by its head.
    void ask_app(Stream& stream, const Peer& peer, WorkerContext& context);
    // When ready: calls the app, which may read from and write to the stream, and queues what is left of the response.
    void run_app(Stream& stream, const Peer& peer, WorkerContext& context);
    // Queues an answer of our own, for a request that the app is not to see.
    void refuse(int status, std::string_view reason, const Peer& peer, WorkerContext& context);

    // What becomes of the answers that are queued: all are sent, or they wait for the client, or the rest never will be
    // sent, which is logged.
    void note_sent(WorkerContext& context) {
        log_.note_sent(context);
        unsent_.clear();
    }
    void note_waiting(WorkerContext& context) {
        log_.note_waiting(context);
        response_.settle(context, unsent_);
    }
    void note_cut(std::string_view reason, const Peer& peer, WorkerContext& context);
    // The last answer's only mark of its end is the connection's.
    bool ends_with_connection() const { return response_.ends_with_connection(); }

    // As Parking::park().
    const ParkedRequest* park(const Arena& arena, bool input_held) {
        return parking_.park(arena, stage_, ending_, input_held);
    }
    // Goes on with what was parked elsewhere; this one is fresh. False: that makes no sense.
    bool resume(MovedConnection& moved, const Peer& peer, WorkerContext& context);
    // Somebody else goes on with it: nothing of it is ours to send or to log.
    void forget();

    // Once answered: ready for the next one on the same connection.
    void next_request();
    // Ready for another connection.
    void clear();
    // Bytes that it keeps for the next one, of what clients can make it take. What else grows with a head grows with
    // these.
    std::size_t capacity() const {
        return input_.capacity() + output_.capacity() + body_.capacity() +
               parser_.head().fields.capacity() * sizeof(http::Field);
    }

    // What the app asks for, during run_app() only. As in cppcorn_host.
    std::int64_t read(char* buffer, std::size_t room);
    int start(int status, std::string_view reason, std::span<const cppcorn_field> fields);
    int write(std::string_view data);
    int flush();
    int send_file(int file, std::int64_t offset, std::int64_t size);
    int extend_deadline(Milliseconds time);
    int fail(std::string_view reason);
    int finish();
    bool client_gone() const;
    int early_hints(std::span<const cppcorn_field> fields);
    // A call failed half-way and nothing is certain any more: the connection is cut.
    void break_off(int error) { response_.fail(error); }
    std::string describe() const { return log_.describe(); } // "GET /x", for log lines

  private:
    void read_head(const Peer& peer, WorkerContext& context);
    http::Verdict resume_head(const MovedConnection& moved, const Peer& peer, WorkerContext& context);
    http::Verdict read_forwarded(const Peer& peer, WorkerContext& context);
    void note_queue_time(WorkerContext& context);
    void gather_body(const Peer& peer, WorkerContext& context);
    void drain_body();
    Spool* spool_for_body(WorkerContext& context) const;
    using AppFunction = int (*)(void*, const cppcorn_request*);
    int call(AppFunction function, Stream& stream, const Peer& peer, WorkerContext& context);
    void finish_call(int result, const Stream& stream, const Peer& peer, WorkerContext& context);
    int receive();

    std::span<const http::Field> take_fields(std::span<const cppcorn_field> fields);
    void finish_response(int result, WorkerContext& context);
    void end_response(WorkerContext& context);
    void answer(int status, const http::ResponseContext& context, std::string_view accept);
    // How the request has ended. whole: the connection can go on.
    enum class Outcome { whole, last, refused, cut };
    void conclude(Outcome outcome);
    void show_answer(const Stream& stream, WorkerContext& context);
    void cut(std::string_view reason, WorkerContext& context);
    std::string_view reason_of_cut() const;
    void drop_output(WorkerContext& context);
    bool may_meet_a_reset() const;
    bool can_keep_alive(const WorkerContext& context) const;
    http::ResponseContext response_context(WorkerContext& context) const;
    bool has_head() const { return parser_.head().size > 0; }

    InputBuffer input_;
    OutputQueue output_;
    http::RequestParser parser_;
    RequestBody body_;
    ResponseStream response_;
    UnsentShare unsent_;
    ExchangeLog log_;
    Parking parking_;

    Stage stage_ = Stage::fresh;
    Ending ending_ = Ending::keep;
    bool failed_ = false;        // the app gave up, and the log says why
    bool excess_logged_ = false; // that it wrote more than it had declared

    AppCall* call_ = nullptr; // while the app runs
    AppRequest request_{this};
    http::ForwardingRules::ForwardedInfo forwarded_; // by a trusted proxy
    std::int64_t proxy_started_us_ = 0;              // when such a proxy got it, since the epoch; 0: not told
    std::array<char, 20> queue_time_text_{};
    std::vector<http::Field> given_fields_; // the app's, during start() and early_hints()
};

} // namespace cppcorn

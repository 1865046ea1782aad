// One request and its response, from the first byte read to the last byte queued. Holds all the memory that this takes,
// so that a connection that is idle holds none; exchanges are used again and again. The functions that the app calls
// end here (workers/exchange/host.cpp passes them on).
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cppcorn/abi.h>

#include "workers/context/patience.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/http/request_parser.hpp"
#include "workers/http/response_writer.hpp"
#include "workers/transport/input_buffer.hpp"
#include "workers/transport/output_queue.hpp"

namespace cppcorn {

class Exchange {
  public:
    explicit Exchange(const WorkerSettings& settings);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    InputBuffer& input() { return input_; }
    OutputQueue& output() { return output_; }

    enum class Reading {
        need_more, // the message is incomplete
        ready,     // the app can be called
        refused,   // refuse() has queued the answer already
        done,      // the answered request's body is read to its end
    };
    // Parses what was read. Before the request is answered: until the app can be called. Afterwards: drops the rest of
    // its body.
    Reading advance(const Peer& peer, Service& service);

    // Calls the app, which may read from and write to `socket`, and queues what is left of the response.
    void run_app(int socket, const Peer& peer, Service& service);
    // Queues an answer of our own, for a request that the app is not to see.
    void refuse(int status, std::string_view reason, const Peer& peer, Service& service);

    bool answered() const { return answered_; }
    bool reading_body() const { return head_read_ && !body_read_; }
    std::uint64_t body_received() const { return parser_.body_size(); }
    // After this response the connection is to be closed; cut: at once and without a proper end.
    bool close_after() const { return !keep_alive_ || cut_; }
    bool cut() const { return cut_; }
    // The client may still be sending, so that a plain close could destroy the response on its way (RFC 9112, 9.6). One
    // that asked for the end and sent no body is taken at its word: to wait for its end costs system calls. Behind a
    // body, old clients send a line end that belongs to nothing.
    bool client_may_send() const {
        const http::RequestHead& head = parser_.head();
        return !body_read_ || !input_.empty() || head.keep_alive || head.has_body() || refused_;
    }
    // The body's only mark of its end is the connection's: a cut has to be a reset, or the client takes it for
    // complete.
    bool cut_needs_reset() const { return writer_.framing() == http::BodyFraming::until_close; }
    bool untouched() const { return !head_read_ && input_.empty(); }
    // Nothing of a request has come; perhaps line ends, which may belong to the one before.
    bool no_request() const {
        return !head_read_ && input_.unconsumed().find_first_not_of("\r\n") == std::string_view::npos;
    }

    // The request and its body are dealt with: ready for the next one on the same connection.
    void next_request();
    // Ready for another connection.
    void clear();

    // What the app asks for, during run_app() only. As in cppcorn_host.
    std::int64_t read(char* buffer, std::size_t room);
    int start(int status, std::span<const cppcorn_field> fields);
    int write(std::string_view data);
    int flush();
    int send_file(int file, std::int64_t offset, std::int64_t size);
    int extend_deadline(std::chrono::milliseconds time);
    int fail(std::string_view reason);
    // A call failed half-way and nothing is certain any more: the connection is cut.
    void break_off(int error) { write_error_ = error; }
    std::string describe() const; // "GET /x", for log lines

    // What a client may send on top of an answered request's head for the connection to stay usable.
    static constexpr std::uint64_t drain_size = 256 * 1024;
    // An app that streams waits once this much is waiting for the client.
    static constexpr std::size_t output_high_water = 256 * 1024;

    static constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

  private:
    // What a call of the app needs to know of its surroundings.
    struct Call {
        int socket;
        Service& service;
        Patience patience; // with the client that sends the body
    };

    bool body_step(std::string& into);
    http::Verdict read_forwarded(const Peer& peer, const Service& service);
    void fill_request(const Peer& peer, const Service& service);
    void finish_response(int result, Service& service);
    void answer(int status, Service& service);
    void log_access(const Peer& peer, Service& service);
    http::ResponseContext context(Service& service) const;
    bool can_keep_alive(const Service& service) const;
    bool can_drain() const;
    bool is_small_body() const;

    std::int64_t receive();
    int after_flush(OutputQueue::Result result);
    int wait_for_room();
    SteadyClock::time_point latest_wait() const;

    InputBuffer input_;
    OutputQueue output_;
    http::RequestParser parser_;
    http::ResponseWriter writer_;
    std::uint64_t body_buffer_size_;

    bool fresh_ = true; // as next_request() leaves it
    bool head_read_ = false;
    bool body_read_ = false;
    bool answered_ = false;
    bool cut_ = false;
    bool continue_wanted_ = false; // the client waits for "100 Continue"
    bool failed_ = false;          // the app gave up, and the log says why
    bool refused_ = false;         // answered without the app; nothing after it is read
    // Of the response, once it is answered.
    int status_ = 0;
    std::uint64_t response_size_ = 0;
    std::uint64_t left_at_ = 0; // bytes of the request's body that had been read then
    bool keep_alive_ = false;
    int read_error_ = 0;  // negative errno, once reading the body has failed
    int write_error_ = 0; // the same for writing

    std::string body_; // decoded, not yet taken by the app
    std::size_t body_taken_ = 0;
    std::string path_;         // decoded, where it differs from what was sent
    std::string script_name_;  // the same
    std::string refused_line_; // of a request that was refused before its head was complete
    std::vector<cppcorn_field> fields_;
    http::ForwardingRules::Told told_; // by a trusted proxy
    cppcorn_request request_{};
    Call* call_ = nullptr; // while the app runs

    SteadyClock::time_point started_;
    std::vector<http::Field> given_fields_; // the app's, during start()
    std::vector<std::pair<std::string, std::string>> logged_fields_;
    bool excess_logged_ = false;
};

} // namespace cppcorn

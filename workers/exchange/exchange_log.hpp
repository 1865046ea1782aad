// What the logs say of a request and its answer: the name that it goes by, why it was refused, that its answer was cut,
// and its line in the access log.
//
// A part of its exchange, whose parser, response and output it reads, and used again with it: clear() forgets all but
// the lines of answers that are still on their way. Only the worker's own thread uses it. Nothing here can fail; warnings
// that clients can cause are limited (WorkerContext).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/request_ids.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/answer_lines.hpp"
#include "workers/exchange/response_stream.hpp"
#include "workers/http/request_parser.hpp"
#include "workers/transport/output_queue.hpp"

namespace cppcorn {

class ExchangeLog {
  public:
    // All of these outlive it.
    ExchangeLog(const http::RequestParser& parser, const ResponseStream& response, const OutputQueue& output)
        : parser_(parser), response_(response), output_(output) {}

    // "GET /x", for log lines.
    std::string describe() const;

    // The request's id: `given` by the client, into the head, or one that is made if that is empty. Until clear().
    void name(std::string_view given, RequestIds& ids);
    std::string_view id() const { return id_; }

    // The app is called.
    void begin(SteadyTime now) { started_ = now; }
    // Since then.
    SteadyClock::duration age(SteadyTime now) const { return now - started_; }
    // So long it had waited before, as the proxy in front says.
    void note_queue_time(std::chrono::microseconds time) { queue_time_ = time; }
    bool has_queue_time() const { return queue_time_.has_value(); }
    // A field of the app's response, which the access log may want.
    void keep_field(const http::Field& field) { fields_.emplace_back(field.name, field.value); }
    // The app is not to see it. `line`: as much as is there of its request line.
    void refuse(std::string_view line, int status, std::string_view reason, const Peer& peer, WorkerContext& context);
    // The answer is complete, or as complete as it will be. If there is an access log.
    void write_access_line(const Peer& peer, WorkerContext& context);

    // `request` does not get all of its answer.
    void cut(const std::string& request, std::string_view reason, WorkerContext& context);
    // What becomes of the lines of the answers that are queued: see Exchange.
    void note_sent(WorkerContext& context) { lines_.note_sent(context.access_log); }
    void note_waiting(WorkerContext& context) { lines_.note_waiting(context.access_log); }
    void note_dropped(WorkerContext& context) { lines_.note_cut(context.access_log, output_.sent_total()); }

    // Lines of answers that are on their way: as they are, out of another worker, and without them.
    std::string_view held_lines() const { return lines_.held(); }
    void resume(std::string_view held_lines) { lines_.resume(held_lines); }
    void forget() { lines_.forget(); }

    // Ready for the next request.
    void clear() {
        fields_.clear();
        id_ = {};
        queue_time_.reset();
        started_ = {};
        is_cut_ = false;
    }

  private:
    bool has_head() const { return parser_.head().size > 0; }

    const http::RequestParser& parser_;
    const ResponseStream& response_;
    const OutputQueue& output_;

    RequestIdText made_id_{};
    std::string_view id_; // empty: not named yet
    std::optional<std::chrono::microseconds> queue_time_;
    SteadyTime started_;
    std::string refused_line_; // of a request that was refused
    std::vector<std::pair<std::string, std::string>> fields_;
    bool is_cut_ = false; // the client does not get all, which is logged
    AnswerLines lines_;
};

} // namespace cppcorn

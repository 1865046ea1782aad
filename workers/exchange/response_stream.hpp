// The response of one request on its way out: framed by HTTP's rules, queued behind the answers before it. What the
// client does not take waits in memory, beyond that in the spool, and once that is full, in the app.
#pragma once

#include <cerrno>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/unique_fd.hpp"
#include "workers/exchange/app_call.hpp"
#include "workers/exchange/unsent_share.hpp"
#include "workers/http/response_writer.hpp"
#include "workers/transport/output_queue.hpp"

namespace cppcorn {

class ResponseStream {
  public:
    // Queues into `output`, which outlives it.
    explicit ResponseStream(OutputQueue& output) : output_(output) {}

    // What an app asks for, as in cppcorn_host. 0, or a negative errno.
    int start(const http::ResponseContext& context, int status, std::span<const http::Field> fields) {
        return writer_.begin(context, status, fields, output_.tail()) ? 0 : -EINVAL;
    }
    // -EMSGSIZE: more than was declared; what fits was accepted.
    int write(AppCall& call, std::string_view data);
    int flush(AppCall& call);
    int send_file(AppCall& call, UniqueFd file, std::int64_t offset, std::int64_t size);
    // The same for a file that stays the app's: its bytes are read here, so that the app waits for a slow client. -EIO:
    // the file is shorter, or cannot be read; nothing more can be sent.
    int send_copied(AppCall& call, int file, std::int64_t offset, std::int64_t size);
    // The client does not take all at once, and the worker turns to others: keeps no more in memory than it may, and notes
    // in `share` how much that is.
    void settle(WorkerContext& context, UnsentShare& share);
    // False: the body is shorter than declared. A second call says the same.
    bool end() { return writer_.end(output_.tail()); }

    // A whole response of the server's own, where none has begun.
    void put(int status, std::string_view response);
    // Ready for the next request's.
    void clear() {
        writer_ = {};
        error_ = own_status_ = 0;
        own_size_ = 0;
        ends_with_connection_ = false;
    }

    // A negative errno, once nothing more can be sent: -EPIPE the client is gone, -ETIMEDOUT it does not read, or what
    // fail() was told.
    int error() const { return error_; }
    void fail(int error) { error_ = error; }

    bool begun() const { return writer_.begun(); }
    bool ended() const { return writer_.ended(); }
    bool whole() const { return writer_.whole(); }
    int status() const { return begun() ? writer_.status() : own_status_; }
    std::uint64_t body_size() const { return begun() ? writer_.body_size() : own_size_; }
    bool keep_alive() const { return writer_.keep_alive(); }
    // The body's only mark of its end is the connection's.
    bool ends_with_connection() const {
        return ends_with_connection_ || writer_.framing() == http::BodyFraming::until_close;
    }
    // The same of one that another worker has made.
    void set_ends_with_connection() { ends_with_connection_ = true; }

    // So much of one connection's waits in memory at most;
    static constexpr std::size_t high_water = 256 * 1024;
    // and this much, once that of all together is more than most_unsent.
    static constexpr std::size_t low_water = 16 * 1024;
    static constexpr std::size_t most_unsent = 16 * 1024 * 1024;

  private:
    // What is queued, and `extra` behind it, as far as the client takes it.
    OutputQueue::Result send(AppCall& call, std::string_view extra, std::size_t& taken);
    OutputQueue::Result send(AppCall& call) {
        std::size_t none = 0;
        return send(call, {}, none);
    }
    int take_result(OutputQueue::Result result);
    // Keeps what waits for a slow client bounded.
    int wait_for_room(AppCall& call) {
        return error_ != 0 || output_.waiting_bytes() <= mark(call) ? error_ : make_room(call);
    }
    // Answers before its own stay in memory, where an understudy can send them; and they are no more than high_water.
    std::size_t mark(const AppCall& call) const {
        const bool is_usual = call.context.unsent <= most_unsent || !begun() || !call.context.spool.is_on();
        return is_usual ? high_water : low_water;
    }
    int make_room(AppCall& call);
    int queue(AppCall& call, std::string_view rest);
    int queue_file(AppCall& call, int file, std::int64_t offset, std::uint64_t size);

    OutputQueue& output_;
    http::ResponseWriter writer_;
    int error_ = 0;
    int own_status_ = 0;
    std::uint64_t own_size_ = 0;
    bool ends_with_connection_ = false;
};

} // namespace cppcorn

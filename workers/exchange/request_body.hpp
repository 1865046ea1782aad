// The body of one request: gathered before the app is called, in memory or in a file, read by the app, and what the app
// leaves of it dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/arena.hpp"
#include "workers/http/request_parser.hpp"
#include "workers/transport/input_buffer.hpp"
#include "workers/transport/spool_file.hpp"

namespace cppcorn {

class RequestBody {
  public:
    // Reads off `input` by `parser`; both outlive it. A body of up to `buffer_size` bytes is gathered in memory.
    RequestBody(http::RequestParser& parser, InputBuffer& input, std::uint64_t buffer_size)
        : parser_(parser), input_(input), buffer_size_(buffer_size) {}

    // The request's head has been read: its body, if there is one, comes next. A larger one is gathered in a file of
    // `spool`, which outlives it; null: of such a one so much as is gathered in memory.
    void begin(Spool* spool) {
        complete_ = !parser_.head().has_body();
        continue_wanted_ = parser_.head().expect_continue && !complete_;
        spool_ = spool;
    }
    // Ready for the next request.
    void clear() {
        buffered_.clear();
        if (buffered_.capacity() > keep_capacity) buffered_.shrink_to_fit(); // to nothing
        taken_ = 0;
        error_ = 0;
        complete_ = continue_wanted_ = wants_room_ = false;
        spool_ = nullptr;
        release_file();
    }

    bool complete() const { return complete_; }
    // A negative errno, once the body cannot be read any further: -EBADMSG its framing is broken, -EFBIG it is over the
    // limit, -EIO its file cannot be read, or what fail() was told.
    int error() const { return error_; }
    void fail(int error) { error_ = error; }

    // The client waits for "100 Continue" before it sends anything.
    bool continue_wanted() const { return continue_wanted_; }
    // It is told now, or never will be.
    void settle_continue() { continue_wanted_ = false; }
    // Will be gathered in memory as a whole, or as far as is known.
    bool is_small() const;
    // Will be gathered as a whole, so that the client shall be told at once: who keeps a body back then holds nobody
    // up.
    bool is_gathered() const { return is_small() || spool_ != nullptr; }
    // Large, perhaps, or not to be sent before it is asked for: the app is asked whether it wants it.
    bool is_offered() const { return !complete_ && (continue_wanted_ || parser_.head().chunked() || !is_small()); }

    // Gathers what has arrived. True: enough to call the app with.
    bool gather() { return complete_ || gather_more(); }
    // There is no room in the spool for what has arrived, and so nothing more is to be read.
    bool wants_room() const { return wants_room_; }
    bool has_room() const { return !is_growing() || file_->has_room(most_to_keep()); }
    // The next piece of what has arrived. False: there is none; more has to be read, or error() says why not.
    bool take_piece();

    // As it was in another worker, behind begin().
    void resume(std::string_view gathered, std::uint64_t drained_from, bool complete, bool continue_wanted) {
        buffered_ = gathered;
        drained_from_ = drained_from;
        complete_ = complete;
        continue_wanted_ = continue_wanted;
    }
    // The same of its file, with `size` bytes of it in there.
    void resume_file(Spool& spool, UniqueFd file, std::uint64_t size);
    std::string_view gathered() const { return std::string_view(buffered_).substr(taken_); }
    std::uint64_t drained_from() const { return drained_from_; }

    // Bytes that can be given to the app.
    std::uint64_t available() const { return buffered_.size() - taken_ + (file_ ? file_->size() - read_of_file_ : 0); }
    // How many were given; or error().
    std::int64_t give(char* buffer, std::size_t room);
    // The size that is known by now, or -1.
    std::int64_t size() const {
        const http::RequestHead& head = parser_.head();
        return head.chunked() && complete_ ? static_cast<std::int64_t>(received()) : head.content_length;
    }
    std::uint64_t received() const { return parser_.body_size(); }

    // The app reads no more of it.
    void release_file() {
        if (file_) file_.reset();
        read_of_file_ = 0;
    }
    const SpoolFile* file() const { return file_.get(); }

    std::size_t capacity() const { return buffered_.capacity(); }

    // The request was answered. True if the rest is worth reading, for the sake of the next request.
    bool worth_draining() const { return complete_ || is_short_enough(); }
    void begin_draining() { drained_from_ = received(); }
    // Drops what has arrived. False: the rest cannot be read, or is not worth it any more.
    bool drain();

    // What a client may send on top of an answered request for the connection to stay usable.
    static constexpr std::uint64_t drain_size = 256 * 1024;

  private:
    bool gather_more();
    void begin_file();
    bool is_growing() const { return file_ != nullptr && spool_ != nullptr; }
    bool will_never_fit() const;
    bool has_enough() const;
    void keep(std::string_view bytes);
    std::uint64_t most_to_keep() const;
    bool is_short_enough() const;

    static constexpr std::size_t keep_capacity = 128 * 1024;

    http::RequestParser& parser_;
    InputBuffer& input_;
    std::uint64_t buffer_size_;

    // Decoded: first those in the file, if there is one, then these.
    Spool* spool_ = nullptr; // what does not fit into memory goes there
    std::unique_ptr<SpoolFile> file_;
    std::uint64_t read_of_file_ = 0;
    Bytes buffered_;
    std::size_t taken_ = 0;
    std::uint64_t drained_from_ = 0; // bytes received when the request was answered
    int error_ = 0;
    bool complete_ = false;
    bool continue_wanted_ = false;
    bool wants_room_ = false;
};

} // namespace cppcorn

// What is to be sent to a client and was not taken by its stream yet: bytes and parts of files, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "base/arena.hpp"
#include "base/unique_fd.hpp"
#include "workers/transport/spool_file.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

class OutputQueue {
  public:
    enum class Result {
        drained, // all is sent
        waiting, // the stream takes no more for now
        failed,  // the client is gone, or a file is shorter than announced: nothing more can be sent
    };

    // Bytes appended to this string are sent after all that is queued so far. Do not keep the reference over other
    // calls.
    Bytes& tail() { return files_.empty() ? head_ : files_.back().after; }
    // The descriptor is closed when its bytes are sent.
    void append_file(UniqueFd file, std::int64_t offset, std::uint64_t size);
    // False: enough files wait, and the bytes of this one have to be copied instead. Descriptors are few, and a
    // connection that goes to another process takes no more than two along.
    bool can_hold_file(std::uint64_t size) const;

    // Puts what waits in memory behind the last file, and `more` behind it, into a file of the spool, if need be a new
    // one. False: that is not possible, or not now; nothing has changed.
    bool spill(Spool& spool, std::string_view more = {});
    // The last file is one of the spool.
    bool is_spooling() const { return !files_.empty() && files_.back().spooled; }

    // Sends as much as the stream takes without blocking.
    Result flush(Stream& stream) {
        std::size_t none = 0;
        return flush_with(stream, {}, none);
    }
    // The same with `extra` behind all that is queued, without copying it. `taken`: how much of it the stream has taken;
    // the rest is the caller's to queue.
    Result flush_with(Stream& stream, std::string_view extra, std::size_t& taken);
    // Queues the rest.
    Result flush_with(Stream& stream, std::string_view extra);

    bool empty() const { return sent_ == head_.size() && files_.empty(); }
    // Bytes in memory that wait; an open file counts as a few.
    std::size_t waiting_bytes() const { return head_.size() - sent_ + (files_.empty() ? 0 : waiting_in_files()); }
    // Of these, the bytes alone.
    std::size_t bytes_in_memory() const { return head_.size() - sent_ + (files_.empty() ? 0 : behind_files()); }
    // All bytes that are to be sent yet.
    std::uint64_t bytes_left() const { return head_.size() - sent_ + (files_.empty() ? 0 : left_in_files()); }
    // It has failed because a file was shorter than announced, or could not be read.
    bool file_failed() const { return file_failed_; }
    // Bytes that streams have taken, ever.
    std::uint64_t sent_total() const { return sent_total_; }
    // A file waits to be sent, and keeps its descriptor.
    bool holds_file() const { return !files_.empty(); }
    // What is in it: the bytes before the first file, and each file with the bytes behind it, as
    // `visit(int fd, offset, left, after)`.
    std::string_view bytes() const { return std::string_view(head_).substr(sent_); }
    std::size_t file_count() const { return files_.size(); }
    template <class Visit>
    void for_each_file(const Visit& visit) const {
        for (const auto& part : files_) visit(part.fd(), part.offset, part.left, std::string_view(part.after));
    }
    // So many of bytes() were sent by somebody else.
    void skip(std::size_t count) {
        sent_ += count;
        sent_total_ += count;
    }
    void clear();
    // In memory, of what can be used again.
    std::size_t capacity() const { return head_.capacity(); }

  private:
    // A part of a file and the bytes that follow it.
    struct FilePart {
        int fd() const { return spooled ? spooled->fd() : file.get(); }

        UniqueFd file; // if it is not one of the spool
        std::int64_t offset;
        std::uint64_t left;
        Bytes after;
        std::unique_ptr<SpoolFile> spooled;
    };

    Result flush_bytes(Stream& stream, std::string_view extra, std::size_t& extra_taken);
    Result flush_file(Stream& stream);
    void forget_sent();
    bool spill_from(Bytes& bytes, std::size_t begin, FilePart& part, std::string_view more);
    std::size_t behind_files() const;
    std::size_t waiting_in_files() const;
    std::uint64_t left_in_files() const;

    Bytes head_; // the bytes before the first file; nearly always all there is
    std::size_t sent_ = 0;
    std::deque<FilePart> files_;
    std::uint64_t sent_total_ = 0;
    bool file_failed_ = false;
};

} // namespace cppcorn

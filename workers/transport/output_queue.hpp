// What is to be sent on a connection and was not taken by the socket yet: bytes and parts of files, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace cppcorn {

class OutputQueue {
  public:
    enum class Result {
        drained, // all is sent
        waiting, // the socket takes no more for now
        failed,  // the peer is gone, or a file is shorter than announced: nothing more can be sent
    };

    // Bytes appended to this string are sent after all that is queued so far. Do not keep the reference over other
    // calls.
    std::string& tail();
    // The descriptor is closed when its bytes are sent.
    void append_file(UniqueFd file, std::int64_t offset, std::uint64_t size);

    // Sends as much as the socket takes without blocking.
    Result flush(int socket, bool use_sendfile);
    // The same with `extra` behind all that is queued, without copying what the socket takes of it.
    Result flush_with(int socket, bool use_sendfile, std::string_view extra);

    bool empty() const { return sent_ == head_.size() && files_.empty(); }
    // Bytes in memory that wait; an open file counts as a few.
    std::size_t waiting_bytes() const;
    // Bytes that the socket has taken, ever.
    std::uint64_t sent_total() const { return sent_total_; }
    void clear();

  private:
    // A part of a file and the bytes that follow it.
    struct FilePart {
        UniqueFd file;
        std::int64_t offset;
        std::uint64_t left;
        std::string after;
    };

    Result flush_bytes(int socket, std::string_view extra, std::size_t& extra_taken);
    void forget_sent();
    Result flush_file(int socket, bool use_sendfile);

    std::string head_; // the bytes before the first file; nearly always all there is
    std::size_t sent_ = 0;
    std::deque<FilePart> files_;
    std::uint64_t sent_total_ = 0;
};

} // namespace cppcorn

// One client's bytes, as HTTP sees them: a socket, later TLS over one, in tests memory. Nothing above this room makes a
// system call on a client's socket.
//
// Only wait_until() blocks. All else does what is possible at once: a count of bytes above 0, or
//     0         read: the client has closed its side; send_file: the file ends here
//     -EAGAIN   nothing is possible just now
//     another   negative errno: the client is gone
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

namespace cppcorn {

class Stream {
  public:
    enum class Interest { to_read, to_write, either };

    virtual std::int64_t read(char* buffer, std::size_t room) = 0;
    // Sends `first` and what follows it, as one where the two fit.
    virtual std::int64_t write(std::string_view first, std::string_view second) = 0;
    virtual std::int64_t send_file(int file, std::int64_t offset, std::size_t size) = 0;

    // Bytes that were written and are still on their way, as far as that can be known.
    virtual std::uint64_t untaken() = 0;

    // The client reads the end of the stream once it has read what was written.
    virtual void close_write() = 0;
    // Whether a close is a reset, so that the client cannot take what it has got for all there is. It holds for the
    // close that comes of the process's death, too.
    virtual void set_reset_on_close(bool reset) = 0;

    // Whether the client has closed its side, or the connection is broken; bytes that are here already do not count.
    virtual bool is_closed_by_client() = 0;

    // Blocks until something can be done, or may be. False: the deadline has passed first.
    virtual bool wait_until(Interest interest, SteadyTime deadline) = 0;

    // Bytes that were read and written, since the client connected.
    std::uint64_t received() const { return received_; }
    std::uint64_t sent() const { return sent_; }
    // They went through before, or through other hands.
    void add_received(std::uint64_t count) { received_ += count; }
    void add_sent(std::uint64_t count) { sent_ += count; }

  protected:
    ~Stream() = default; // whoever owns one knows what it is

  private:
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
};

} // namespace cppcorn

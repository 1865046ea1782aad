// A client's stream over a connected socket that does not block.
#pragma once

#include <sys/uio.h>

#include "base/call_note.hpp"
#include "base/server_fd.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

// Owns the socket, which is closed with it.
class SocketStream final : public Stream {
  public:
    explicit SocketStream(UniqueFd socket, bool use_sendfile = true)
        : socket_(std::move(socket)), use_sendfile_(use_sendfile) {}
    SocketStream(SocketStream&&) = default;
    SocketStream& operator=(SocketStream&&) = default;

    int fd() const { return socket_.get(); }
    // What is read and written is noted there, but for files. It outlives the stream.
    void note_calls(CallNotes& notes);
    // The socket was closed by somebody else.
    void forget() { socket_.take().release(); }

    std::int64_t read(char* buffer, std::size_t room) override;
    std::int64_t write(std::string_view first, std::string_view second) override;
    std::int64_t send_file(int file, std::int64_t offset, std::size_t size) override;
    std::uint64_t untaken() override;
    void close_write() override;
    void set_reset_on_close(bool reset) override;
    bool is_closed_by_client() override;
    bool wait_until(Interest interest, SteadyTime deadline) override;

  private:
    CallNote& begin_call(CallNote::Kind kind, iovec* parts = nullptr, std::size_t count = 0);
    std::int64_t noted_read(char* buffer, std::size_t room);
    std::int64_t noted_write(iovec* parts, std::size_t count);
    std::int64_t counted(std::int64_t result); // of a call that sends
    std::int64_t send_copied(int file, std::int64_t offset, std::size_t size);

    ServerFd socket_;
    bool use_sendfile_;
    bool resets_ = false;
    CallNotes* notes_ = nullptr; // null: the kernel can tell
};

} // namespace cppcorn

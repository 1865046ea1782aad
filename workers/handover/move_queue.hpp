// The queue by which connections go from worker to worker: a pair of sockets that all workers of a service have, both
// ends, through reloads and upgrades. What one of them puts in, the first that is free takes out. Kept by the kernel: it
// loses nothing when a process dies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <sys/socket.h>

#include "base/server_fd.hpp"
#include "workers/handover/connection_image.hpp"
#include "workers/handover/move_packet.hpp"
#include "workers/handover/moved_connection.hpp"

namespace cppcorn {

class MoveQueue {
  public:
    enum class Put {
        sent,   // the queue has it; the descriptors that were put are to be closed
        full,   // later perhaps: everything is as before
        failed, // never: everything is as before
    };

    // Throws std::system_error.
    static MoveQueue make();
    // The two ends of one that was made before. Neither blocks.
    MoveQueue(ServerFd take_end, ServerFd put_end) : take_end_(std::move(take_end)), put_end_(std::move(put_end)) {}

    // Readable when there is something to take.
    int take_fd() const { return take_end_.get(); }
    int put_fd() const { return put_end_.get(); }

    // Never waits. Async-signal-safe. As record_to_write(), which says what `version` is.
    Put put(const ConnectionImage& image, std::uint32_t version = ConnectionRecord::current_version) const;
    // The same. In `told`, the kernel itself notes that it has the message (its length), so that it is known even of a
    // process that was killed meanwhile.
    Put put(const ConnectionImage& image, mmsghdr& told,
            std::uint32_t version = ConnectionRecord::current_version) const;
    // The same, of one that was taken and goes back as it was.
    Put put(const MoveMessage& message, std::span<const int> descriptors) const;

    // The next one that makes sense; nullopt if there is none. What makes none is dropped, which is logged. `packet`:
    // where it is received to, and stays; until the connection is the worker's, its descriptors are open.
    std::optional<MovedConnection> take(MovePacket& packet) const;
    std::optional<MovedConnection> take() const;

  private:
    ServerFd take_end_;
    ServerFd put_end_;
};

} // namespace cppcorn

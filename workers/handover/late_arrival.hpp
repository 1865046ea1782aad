// The connection that a worker had been given by the kernel and had not begun with when it died: it is in none of its
// seats, and closing it would reset a client that no app has seen.
#pragma once

#include <array>
#include <functional>

#include "workers/handover/move_queue.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

// Whether a socket is a connection that came by one of the service's listening sockets, and if so, what is to be told of
// it when nothing has been read of it yet. Allocates nothing.
using TellNewcomer = std::function<bool(int socket, ConnectionRecord& record)>;

class LateArrival {
  public:
    // `tell` outlives it.
    explicit LateArrival(const TellNewcomer& tell) : tell_(tell) {}

    // Looks for it, while everything is still open and the desk is empty. `is_seat`: of a descriptor that is watched.
    // Async-signal-safe, as all of it is.
    void find(const WorkerMemory& memory, bool (*is_seat)(int fd));
    // The socket, and files of its request.
    std::span<const int> descriptors() const {
        return std::span(descriptors_.numbers).first(static_cast<std::size_t>(descriptors_.count));
    }
    MoveQueue::Put put(const MoveQueue& queue) const;

  private:
    void find_accepted();
    void find_moved(const MovePacket& packet);
    bool is_ours(int fd, ConnectionRecord& record) const;

    const TellNewcomer& tell_;
    bool (*is_seat_)(int fd) = nullptr;
    PacketDescriptors descriptors_; // none: there is none
    MovePacket packet_;             // a copy: what is checked is what is used
    MoveMessage message_;
};

} // namespace cppcorn

// What an understudy does when its worker is dead: the log's last lines, the answer to the request that was in the app,
// and everybody else's move to other workers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/counter.hpp"
#include "workers/handover/connection_image.hpp"
#include "workers/handover/late_arrival.hpp"
#include "workers/handover/log_place.hpp"
#include "workers/handover/move_queue.hpp"
#include "workers/handover/socket_counts.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

class Mourning {
  public:
    // All outlive it. `moved` counts connections. `leash` is readable once the master is gone, and nobody takes
    // connections any more.
    Mourning(WorkerMemory& memory, const MoveQueue& queue, Counter& moved, const LogPlace& log,
             const TellNewcomer& tell_newcomer, int epoll, int leash)
        : memory_(memory),
          queue_(queue),
          moved_(moved),
          log_(log),
          tell_newcomer_(tell_newcomer),
          arrival_(tell_newcomer),
          epoll_(epoll),
          leash_(leash) {}

    // The worker is dead, or has crashed in the thread that serves, and its report keeps it. Once it is dead, what its
    // app had open is closed first, so that no lock of the app's outlives it by long.
    void serve_clients(bool is_dead);

    // Seats in the order of descriptors; beyond them nobody sits.
    static constexpr int most_seats = 1 << 20;

  private:
    bool is_clients_own(const DeskPicture& picture) const;
    void close_all_else(const DeskPicture& picture);
    void write_log_lines();
    void serve_desk(const DeskPicture& picture);
    void move_from_desk(const DeskPicture& picture);
    void answer_from_desk(const DeskPicture& picture);
    std::optional<SocketCounts> counts_on_desk(const DeskPicture& picture) const;
    bool image_on_desk(const DeskPicture& picture, ConnectionImage& image);
    void move_arrival();
    void move_others();
    bool move(const ConnectionImage& image);
    template <class Put>
    bool put(const Put& put_once);
    bool wait_for_room();

    WorkerMemory& memory_;
    const MoveQueue& queue_;
    Counter& moved_;
    const LogPlace& log_;
    const TellNewcomer& tell_newcomer_;
    LateArrival arrival_;
    int epoll_;
    int leash_;
    bool is_served_ = false;
    bool master_is_gone_ = false;
    int desk_fd_ = -1;
};

} // namespace cppcorn

// What an understudy does when its worker is dead: the log's last lines, the answer to the request that was in the app,
// and everybody else's move to other workers.
#pragma once

#include <array>
#include <cstdint>

#include "workers/handover/connection_image.hpp"
#include "workers/handover/log_place.hpp"
#include "workers/handover/move_queue.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

class Mourning {
  public:
    // All outlive it. `leash` is readable once the master is gone, and nobody takes connections any more.
    Mourning(WorkerMemory& memory, const MoveQueue& queue, const LogPlace& log, int epoll, int leash)
        : memory_(memory), queue_(queue), log_(log), epoll_(epoll), leash_(leash) {}

    // The worker is dead, or has crashed in the thread that serves, and its report keeps it. Once it is dead, what its
    // app had open is closed first, so that no lock of the app's outlives it by long.
    void serve_clients(bool is_dead);

    // Seats in the order of descriptors; beyond them nobody sits.
    static constexpr int most_seats = 1 << 20;

  private:
    bool is_seat(int fd) const;
    void close_all_else(const DeskPicture& picture);
    void write_log_lines();
    void serve_desk(const DeskPicture& picture);
    void move_from_desk(const DeskPicture& picture);
    void answer_from_desk(const DeskPicture& picture);
    bool image_on_desk(const DeskPicture& picture, ConnectionImage& image);
    void move_others();
    bool move(const ConnectionImage& image);
    bool wait_for_room();

    WorkerMemory& memory_;
    const MoveQueue& queue_;
    const LogPlace& log_;
    int epoll_;
    int leash_;
    bool is_served_ = false;
    bool master_is_gone_ = false;
    int desk_fd_ = -1;
};

} // namespace cppcorn

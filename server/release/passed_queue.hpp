// The queue by which connections go from worker to worker (workers/handover/move_queue.hpp), on its way from the old
// master to the new one that SIGUSR2 starts. As the listeners it is inherited, and a variable says where it is:
//
//   CPPCORN_CONNECTIONS="<version> <take> <put> <answer>"
//
// The version is the highest one of messages (ConnectionRecord) that the old master's workers know, the rest are
// descriptors: the two ends of the queue, and a socket to the old master. By that, the new one answers once, if it takes
// the queue: with the highest version that it knows. Both write the lower one from then on. Without an answer nobody
// takes from the queue but the old master's own workers: the new program is one that knows of no queue, or has found
// something wrong with this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/server_fd.hpp"
#include "base/unique_fd.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

inline constexpr const char* connections_variable = "CPPCORN_CONNECTIONS";

// ---- The old master

// Its end of the answer's way. Not valid for another successor.
class QueueAnswer {
  public:
    QueueAnswer() = default;
    // `successors_end` is to be passed on. Throws std::system_error.
    explicit QueueAnswer(ServerFd& successors_end);

    // Whether the successor has said by now that its workers take from the queue.
    bool has_come();

  private:
    ServerFd socket_;
    std::optional<std::uint32_t> version_;
};

// The variable's text, for descriptors as they are numbered in the new program.
std::string offer_of_queue(int take, int put, int answer);

// ---- The new master

struct ServiceQueue {
    MoveQueue queue;
    bool is_predecessors;
};

// Takes the queue that is offered, and answers; makes one if none is ("") or if it is not what it is to be, which is
// logged. Throws std::system_error if it cannot make one.
ServiceQueue open_queue(std::string_view offer);

} // namespace cppcorn

// How a new master takes the place of an old one, on the same sockets (SIGUSR2). Both serve until the old one is told
// to stop; a new one that is no good is told to stop instead, and nothing was lost. Until the old one has ended, the
// unix sockets' files are its own. What passes between the two: server/release/hand_over.hpp.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "server/release/hand_over.hpp"
#include "server/release/listener.hpp"
#include "server/release/passed_queue.hpp"
#include "server/release/release.hpp"
#include "server/release/start_context.hpp"

namespace cppcorn {

class Upgrade {
  public:
    // `predecessor`: the master that this one is to replace, if there is one.
    explicit Upgrade(std::optional<Predecessor> predecessor) : predecessor_(std::move(predecessor)) {}

    // ---- As the old master

    // Why no new master can be started now; nullopt if one can.
    std::optional<std::string> obstacle() const;
    // Starts one, on the release's sockets and with this queue of connections. Throws std::system_error if there can be no
    // process.
    void start(const StartContext& context, const Release& release, const MoveQueue& queue);
    // The new master that was started; 0 if there is none.
    pid_t successor() const { return successor_; }
    // It has ended, which is logged. True if it ended with exit code 0. `ending`: this master is about to stop, too.
    bool successor_exited(int wait_status, const Listeners& listeners, bool ending);

    // ---- As the new master

    bool has_predecessor() const { return predecessor_.has_value(); }
    pid_t predecessor() const { return predecessor_ ? predecessor_->pid : 0; }
    // Readable once the old master has ended; -1 if there is none. For poll.
    int predecessor_fd() const { return predecessor_ ? predecessor_->process.get() : -1; }
    // The old master has ended: this one takes its place.
    void predecessor_exited(const Listeners& listeners);

    // Which of two masters shows the status of the service: the old one, until the new one's workers have served and
    // its status process is there. `serves`: this master's do.
    bool shows_status(bool serves);
    // This one's is there: the old master, if there is one, is told.
    void note_status_process();

    // No other master serves on these sockets.
    bool is_alone() const { return successor_ == 0 && !predecessor_; }
    // Another master's workers take the connections that this one's put into the queue.
    bool other_takes_connections() {
        return predecessor_ ? predecessor_->shares_queue : successor_ != 0 && queue_answer_.has_come();
    }

  private:
    pid_t successor_ = 0;
    QueueAnswer queue_answer_;
    ServerFd status_news_; // from the new master
    bool successor_shows_status_ = false;
    bool shows_status_ = false; // this one, with a predecessor
    std::optional<Predecessor> predecessor_;
};

} // namespace cppcorn

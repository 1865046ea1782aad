// Takes connections that come from other workers out of the queue that all workers share: how many in a turn, and when
// none.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "base/epoll.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

class MoveInbox {
  public:
    // All outlive it. Watches the context's queue in `epoll`, if there is one, with its descriptor as the tag.
    MoveInbox(WorkerContext& context, Epoll& epoll) : context_(context), queue_(context.queue), epoll_(epoll) {
        watch();
    }

    // -1: there is no queue.
    int fd() const { return queue_ != nullptr ? queue_->take_fd() : -1; }

    // In each turn of the loop: it is ready, then take().
    void note_ready() { is_ready_ = true; }
    bool has_work() const { return is_ready_; }
    // Hands them to `admit(MovedConnection&&)`: as many as were `served` of the connections that are here, at least one;
    // what is left over is for workers that are idle. With `all`: until nobody waits.
    template <class Admit>
    void take(int served, bool all, const Admit& admit) {
        is_ready_ = false;
        for (int left = std::max(served, 1); (left > 0 || all) && is_watched_; --left) {
            auto moved = take_next();
            if (!moved) return;
            admit(std::move(*moved));
        }
    }

    // Nothing is taken while the worker has no room.
    void set_full(bool is_full) {
        if (is_full == !is_watched_ || is_stopped_) return;
        is_full ? unwatch() : watch();
    }
    // Others take it from now on.
    void stop() {
        if (is_watched_) unwatch();
        is_stopped_ = true;
    }
    // After stop(): it was wrong, there are none.
    void resume() {
        is_stopped_ = false;
        if (!is_watched_) watch();
    }
    // What the epoll watched was taken out by somebody else.
    void watch_again() {
        if (is_watched_) epoll_.watch_again(fd(), EPOLLIN, static_cast<std::uint32_t>(fd()));
    }

  private:
    std::optional<MovedConnection> take_next() {
        if (context_.memory == nullptr) return queue_->take();
        context_.note_arrival(Arrival::moved);
        auto moved = queue_->take(context_.memory->packet());
        if (!moved) context_.note_arrival(Arrival::none);
        return moved;
    }
    void watch() {
        if (queue_ == nullptr) return;
        epoll_.add(fd(), EPOLLIN, static_cast<std::uint32_t>(fd()));
        is_watched_ = true;
    }
    void unwatch() {
        epoll_.remove(fd());
        is_watched_ = is_ready_ = false;
    }

    WorkerContext& context_;
    const MoveQueue* queue_;
    Epoll& epoll_;
    bool is_watched_ = false;
    bool is_stopped_ = false;
    bool is_ready_ = false;
};

} // namespace cppcorn

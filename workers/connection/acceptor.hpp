// Takes new connections off the listening sockets that all workers share: how many in a turn, from which listener next,
// when to pause, and until when while the worker is retiring.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/epoll.hpp"
#include "base/unique_fd.hpp"
#include "workers/context/listening_socket.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"

namespace cppcorn {

class Acceptor {
  public:
    // What became of a connection that was accepted. served: it is gone already.
    enum class Outcome { served, kept };

    // All outlive it; the listeners do not block. Watches them in `epoll`, with their descriptors as tags.
    Acceptor(WorkerContext& context, const std::vector<ListeningSocket>& listeners, Epoll& epoll);

    // In each turn of the loop, in this order: the listeners that are ready, then accept().
    void begin_turn() { ready_.clear(); }
    void note_ready(int listener) { ready_.push_back(listener); }
    // Whether accept() has anything to do.
    bool has_work() const { return state_ == State::listening && (retiring_ || !ready_.empty()); }
    // Hands new connections to `admit(UniqueFd, const Peer&)`, which answers an Outcome. The connections that are here
    // have come first; then come as many new ones as were `served` of them, at least one: what idle workers have left
    // over by then waits no longer than the others do. Those that are served and gone at once count for nothing until
    // they have taken a while together.
    template <class Admit>
    void accept(int served, const Admit& admit);

    // No descriptor is left for one who waits: `make_place` closes one, or answers false.
    void when_out_of_descriptors(std::function<bool()> make_place) { make_place_ = std::move(make_place); }

    // Nothing is accepted while the worker has no room.
    void set_full(bool is_full) {
        if (is_full && state_ == State::listening) enter(State::full);
        if (!is_full && state_ == State::full) enter(State::listening);
    }
    // The worker is retiring: what waits is accepted while there is time. While others serve, it is theirs as well;
    // when all are retiring, the last moment is one that leaves time to answer. Then the first to find that nobody waits
    // ends the listening sockets for all of them.
    void retire();
    // Nothing is accepted any more.
    void stop();

    // The next newcomer is for another worker, if one is idle: this one has kept its share.
    void step_back();
    // What the epoll watched was taken out by somebody else.
    void watch_again();

    bool is_done() const { return state_ == State::done; }
    // There is more to accept, or it has to be found out that there is not.
    bool wants_turn() const { return retiring_ && state_ == State::listening && shut_at_ == SteadyTime::max(); }
    // When accepting is to be tried again after a failure, or for the last time.
    SteadyTime due() const { return state_ == State::listening ? std::min(again_at_, shut_at_) : again_at_; }
    void try_again_if_due() {
        if (context_.now() >= again_at_) try_again();
    }

  private:
    enum class State { listening, paused, full, done };

    void enter(State state);
    void try_again();
    SteadyTime retire_deadline() const;
    void backlog_is_empty();
    void shut_and_stop();
    enum class Taken { nobody_waits, failed, one };
    struct Accepted {
        UniqueFd socket;
        Peer peer;
    };
    // The next one in turn.
    Taken take_next(Accepted& accepted);
    Taken take_from(const ListeningSocket& listener, Accepted& accepted);
    bool accept_one(const ListeningSocket& listener, Accepted& accepted);
    void note_failure(const ListeningSocket& listener, int error);

    static constexpr Milliseconds served_time{1}; // for connections that are served at once, in one turn

    WorkerContext& context_;
    const std::vector<ListeningSocket>& listeners_;
    Epoll& epoll_;
    State state_ = State::done;
    std::vector<int> ready_;        // in this turn
    std::size_t next_listener_ = 0; // whose turn it is
    std::function<bool()> make_place_;
    bool is_failing_ = false; // and that was logged
    SteadyTime again_at_ = SteadyTime::max();
    bool retiring_ = false;
    SteadyTime accept_until_ = SteadyTime::max(); // while retiring
    SteadyTime drain_until_ = SteadyTime::max();  // the same, where no other worker is there for what waits
    SteadyTime shut_at_ = SteadyTime::max();      // nobody new is let in any more, and the sockets are shut then
};

template <class Admit>
void Acceptor::accept(int served, const Admit& admit) {
    const SteadyTime until = context_.now() + served_time;
    int left = served > 0 ? served : 1;
    for (bool more = true; more && state_ == State::listening;) {
        if (retiring_ && context_.now() >= retire_deadline()) return shut_and_stop();
        Accepted accepted;
        if (take_next(accepted) != Taken::one) return;
        if (admit(std::move(accepted.socket), accepted.peer) == Outcome::kept) {
            more = --left > 0;
        } else {
            more = context_.now() < until;
        }
    }
}

} // namespace cppcorn

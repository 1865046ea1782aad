// The worker class `sync`: one thread, one epoll, many connections, one request at a time. Connections that are idle,
// half sent by a slow client or draining to a slow reader cost memory but no worker time. A worker whose app is busy
// accepts nothing: new connections go to idle workers through the listening sockets that all share.
#pragma once

#include <memory>
#include <vector>

#include <sys/epoll.h>

#include "base/signal_inbox.hpp"
#include "workers/connection/connection.hpp"
#include "workers/connection/deadline_heap.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/exchange_pool.hpp"
#include "workers/master_link.hpp"
#include "workers/recycling.hpp"

namespace cppcorn {

class SyncWorker {
  public:
    // All references outlive the worker. The listeners are non-blocking.
    SyncWorker(Service& service, const std::vector<ListeningSocket>& listeners, MasterLink& master,
               SignalInbox& signals);
    ~SyncWorker();

    // Serves until it is told to leave (SIGTERM: once all is answered; SIGQUIT, SIGINT: now) or the master is gone.
    void run();

  private:
    using Time = SteadyClock::time_point;

    struct Seat {
        std::unique_ptr<Connection> connection;
        unsigned generation = 0;
        bool writing = false;            // what epoll watches it for
        Time scheduled_at = Time::max(); // of its earliest entry in the heap
    };

    bool finished() const;
    int wait_time_ms() const;
    void serve_ready(int event_count);
    void accept_next();
    enum class Accepted { none, served, kept, failed };
    Accepted accept_from_next();
    Accepted accept_one(const ListeningSocket& listener);
    Accepted admit(UniqueFd socket, const ListeningSocket& listener, const sockaddr_storage& address);
    void seat(Connection&& connection, Connection::Wants wants);
    void schedule(int fd);
    void settle(int fd, Connection::Wants wants);
    void expire_overdue();
    void forget_stale_deadlines();
    void take_signals();
    void leave(Time give_up_at);
    void recycle_if_enough();

    void watch_listeners(bool watch);
    void accept_failed(const ListeningSocket& listener, int error);
    void stop_accepting();

    Service& service_;
    const std::vector<ListeningSocket>& listeners_;
    MasterLink& master_;
    SignalInbox& signals_;
    ExchangePool pool_;
    Recycling recycling_;

    UniqueFd epoll_;
    std::vector<epoll_event> events_;
    std::vector<int> acceptable_;   // listeners that were ready in this turn
    int served_in_turn_ = 0;        // connections that were ready in it
    std::size_t next_listener_ = 0; // whose turn it is
    std::vector<Seat> seats_;       // by descriptor
    int connection_count_ = 0;
    unsigned next_generation_ = 1;
    DeadlineHeap deadlines_;

    bool listening_ = false;             // the listeners are in the epoll set
    bool accept_failing_ = false;        // and that was told
    bool backlog_done_ = false;          // none is to be accepted any more
    Time listen_again_at_ = Time::max(); // after a failed accept
    bool quick_exit_ = false;
    bool leaving_ = false;
    Time accept_until_ = Time::max(); // while leaving
    Time drain_until_ = Time::max();  // the same, when no other worker is there for what waits
    Time give_up_at_ = Time::max();
    std::uint64_t requests_before_ = 0;
};

} // namespace cppcorn

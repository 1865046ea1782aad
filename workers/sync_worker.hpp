// The worker class `sync`: one thread, one epoll, many connections, one request at a time. Connections that are idle,
// half sent by a slow client or draining to a slow reader cost memory but no worker time. A worker whose app is busy
// accepts nothing: new connections go to idle workers through the listening sockets that all share.
#pragma once

#include <vector>

#include "base/epoll.hpp"
#include "base/master_link.hpp"
#include "base/signal_inbox.hpp"
#include "workers/connection/acceptor.hpp"
#include "workers/connection/connection_table.hpp"
#include "workers/connection/move_inbox.hpp"
#include "workers/context/recycling.hpp"
#include "workers/context/worker_context.hpp"

namespace cppcorn {

class SyncWorker {
  public:
    // All references outlive the worker. The listeners do not block.
    SyncWorker(WorkerContext& context, Epoll& epoll, const std::vector<ListeningSocket>& listeners, MasterLink& master,
               SignalInbox& signals);

    // Serves until it is told to retire (once all is answered) or to exit (after the call of the app under way), by the
    // master or by a signal, or until the master is gone.
    void run();

  private:
    enum class State { serving, retiring, exiting };

    bool is_finished() const;
    int wait_time_ms() const;
    int serve_ready(int event_count);
    void watch(int fd);
    void meet_understudy();
    void take_moved(int served);
    void accept_new(int served);
    void note_room();
    void leave_connections();
    void take_orders();
    void take_orders_if_any();
    void serve_waiting(int count);
    void take_signals();
    void reopen_logs();
    void master_is_gone();
    void retire();
    void leave_soon();
    void exit();
    void recycle_if_enough();

    WorkerContext& context_;
    MasterLink& master_;
    SignalInbox& signals_;
    Recycling recycling_;
    Epoll& epoll_;
    Acceptor acceptor_;
    MoveInbox inbox_;
    ConnectionTable connections_;

    State state_ = State::serving;
    SteadyTime give_away_at_ = SteadyTime::max(); // what there was no room for the last time
    SteadyTime give_up_at_ = SteadyTime::max();   // whatever is still open then
    std::uint64_t requests_before_ = 0;
};

} // namespace cppcorn

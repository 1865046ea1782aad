// The connections of one worker: who sits where, which deadline comes next, and what each waits for.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/epoll.hpp"
#include "workers/connection/connection.hpp"
#include "workers/connection/deadline_heap.hpp"
#include "workers/connection/idle_list.hpp"
#include "workers/connection/known_listeners.hpp"
#include "workers/connection/shared_seats.hpp"
#include "workers/handover/moved_connection.hpp"
#include "workers/transport/socket_stream.hpp"

namespace cppcorn {

class ConnectionTable {
  public:
    // Both outlive the table. Registers its connections in `epoll`, with tags that is_connection() knows.
    ConnectionTable(WorkerContext& context, Epoll& epoll);
    ~ConnectionTable();

    static bool is_connection(std::uint64_t tag) { return tag >> 32 != 0; }

    // A connection that was just accepted. Most clients have sent their request by now, and many want no more than its
    // answer: such a connection is served and never kept. False: it was not.
    bool admit(SocketStream stream, const Peer& peer);
    // One that has come from another worker. The same.
    bool take_over(MovedConnection moved);
    // The connection of that tag is ready. Nothing happens where it is gone since.
    void serve(std::uint64_t tag);
    // Connections that have requests left and wait for another turn; the one that has waited longest is given it.
    int waiting() const { return waiting_count_; }
    void serve_next_waiting();
    // Those that wait for room in the spool go on, if there is some now.
    void serve_stalled_if_room() {
        if (!stalled_.empty() && context_.spool.take_news_of_room()) serve_stalled();
    }
    void expire_overdue();
    // The understudy has moved some to other workers while the app ran: they are forgotten here.
    void forget_moved();
    // The worker is retiring. Gives its connections to other workers, as far as there is room on their way; to be called
    // until none is left. Some may have to come further first. False: there was no room.
    bool give_away();
    // It is, and there are no others: each connection hears of it.
    void retire();

    int count() const { return count_; }
    // Nobody more can be admitted: there is no place, and nobody who has none to lose.
    bool is_full() const { return has_no_place() && longest_idle() == IdleList::nobody; }
    // Closes the connection that has been idle longest, but for `newcomer`. False: there is none.
    bool make_place(int newcomer = IdleList::nobody);
    // Before is_full() is asked for a newcomer's sake: where there is no place, whoever seems to be idle longest but has
    // sent something by now is served first.
    void make_sure_of_idle();
    // The next deadline; it may turn out to have moved.
    SteadyTime due() const { return deadlines_.earliest().value_or(SteadyTime::max()); }

  private:
    struct Client {
        Client(SocketStream stream, Connection connection)
            : stream(std::move(stream)), connection(std::move(connection)) {}
        SocketStream stream;
        Connection connection;
    };
    // By descriptor.
    struct Seat {
        std::unique_ptr<Client> client;
        unsigned generation = 0;   // tells clients apart that had the same descriptor; 0: nobody sits here
        std::uint32_t watched = 0; // what epoll watches it for
        bool is_waiting = false;   // for another turn
        ConnectionState counted = ConnectionState::fresh; // as what, while somebody sits here
        SteadyTime scheduled_at = SteadyTime::max();      // of its earliest entry in the heap
    };

    Turn turn_of(int fd);
    unsigned next_generation();
    bool admit(SocketStream stream, Connection connection, unsigned generation);
    enum class Given { gone, stays, no_room };
    Given give_away(int fd);
    void note_calls(SocketStream& stream, const ListeningSocket& listener);
    void park(int fd, const SocketStream& stream, const Connection& connection);
    void seat(unsigned generation, std::unique_ptr<Client> client, Connection::Wants wants);
    void settle(int fd, Connection::Wants wants);
    void forget(Seat& seat);
    void wait_for_turn(int fd);
    void schedule(int fd);
    void serve_stalled();
    bool has_no_place() const { return count_ >= context_.settings.worker_connections; }
    void note_idleness(int fd, const Connection& connection);
    void note_state(Seat& seat);
    Counter& counter_of(ConnectionState state) {
        return context_.slot.counters.connections[static_cast<std::size_t>(state)];
    }
    void note_gone(int fd) {
        between_requests_.remove(fd);
        silent_.remove(fd);
    }
    // Who has just come is the last of a list, so that the first of one is another, or there is none in it.
    int longest_idle(int newcomer = IdleList::nobody) const {
        for (const int longest : {between_requests_.longest(), silent_.longest()}) {
            if (longest != IdleList::nobody && longest != newcomer) return longest;
        }
        return IdleList::nobody;
    }
    void forget_stale_deadlines();

    WorkerContext& context_;
    Epoll& epoll_;
    ExchangePool pool_;
    QuickRequests quick_;
    SharedSeats shared_;
    KnownListeners listeners_; // of connections that were others'
    std::vector<Seat> seats_;
    std::deque<std::uint64_t> waiting_; // tags
    int waiting_count_ = 0;
    std::deque<std::uint64_t> stalled_; // tags of those that want room in the spool; some are gone or have had it
    IdleList between_requests_;
    IdleList silent_; // since they came
    int count_ = 0;
    unsigned last_generation_ = 0;
    DeadlineHeap deadlines_;
    bool retiring_ = false;
};

} // namespace cppcorn

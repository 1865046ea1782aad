// One client's connection: a socket, the exchange under way if there is one, and a deadline. Between requests it holds
// no more than that and can be moved. It waits for nothing itself: the worker's loop calls it when the socket is ready
// or the deadline has passed, and it answers what it wants next.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/unique_fd.hpp"
#include "workers/context/patience.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/exchange_pool.hpp"

namespace cppcorn {

class Connection {
  public:
    using Time = SteadyClock::time_point;

    enum class Wants { to_read, to_write, to_close };

    Connection(UniqueFd socket, const Peer& peer, const WorkerSettings& settings, Time now);

    // The socket is ready for what was wanted, or may be (just accepted). Serves all complete requests that are here.
    Wants serve(Service& service, ExchangePool& pool);
    // The deadline has passed.
    Wants overdue(Service& service, ExchangePool& pool);
    // The worker is leaving: a connection that has been idle for a second goes at once, unless a request has arrived
    // meanwhile; the others have what is left of that second, and one that has not said anything yet a whole one.
    Wants leave(Service& service, ExchangePool& pool);

    int fd() const { return socket_.get(); }
    Time deadline() const { return deadline_; }

  private:
    enum class Phase { idle, head, body, writing, lingering };

    Wants receive(Service& service, ExchangePool& pool);
    Wants read_preamble(Service& service, ExchangePool& pool);
    Wants answer_requests(Service& service, ExchangePool& pool);
    bool answer_one(Service& service);
    Wants send_answers(Service& service, ExchangePool& pool);
    Wants wait_for_input(Service& service, ExchangePool& pool);
    Wants finish(const Service& service, ExchangePool& pool);
    Wants linger(ExchangePool& pool);
    Wants close(ExchangePool& pool);
    void enter(Phase phase, Time now, std::uint64_t bytes = 0);

    UniqueFd socket_;
    Peer peer_;
    std::unique_ptr<Exchange> exchange_;
    Phase phase_ = Phase::idle;
    bool preamble_first_ = false; // a PROXY header may come, or has come, before the first request
    bool preamble_read_ = true;
    bool answered_any_ = false;
    bool last_answer_ = false; // nothing more is read; close when all is sent
    bool input_held_ = false;  // complete requests may wait in the input until the client takes its answers
    std::uint32_t lingered_bytes_ = 0;
    Patience patience_; // with the present phase
    Time deadline_;
};

} // namespace cppcorn

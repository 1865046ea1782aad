// The end of a connection whose answer is out while its client may still be sending. What the client sends is dropped
// until it closes its side: a plain close would be a reset, which destroys the answer on its way (RFC 9112, 9.6). It
// goes by time and rate, never by size, since a proxy may first send all of an upload and only then read the answer:
//
//     as long as the client takes the answer    it has --write-timeout, and for each further KiB a second longer
//     from then on, while it sends              30 seconds
//     and while it does not                     5 seconds; less than 1 KiB a second is nothing
//
// At the service's end it waits 2 seconds, unless its client is sending and has not got the answer yet.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "workers/context/patience.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

class Lingering {
  public:
    // Our side of the stream is closed.
    void begin(Stream& stream, const WorkerContext& context);
    // It has begun in another worker: until when, however much the client sends, and whether it is done before.
    void resume(Stream& stream, const WorkerContext& context, SteadyTime until, SteadyTime deadline);
    // Drops what has arrived. False: the client has closed its side, or is gone.
    bool drop(Stream& stream);
    // The same, until nothing is left of it.
    bool drop_all(Stream& stream);
    // The deadline has passed. False: the client has had its time.
    bool go_on(Stream& stream, const WorkerContext& context);
    // The worker is retiring.
    void retire(const WorkerContext& context);

    SteadyTime deadline() const { return deadline_; }
    SteadyTime until() const { return until_; }

  private:
    std::uint64_t dropped_ = 0;
    std::uint64_t untaken_ = 0; // bytes of answers that were on their way when it began
    Patience sending_;          // with a client that sends
    Patience taking_;           // with one that takes the answer
    SteadyTime until_;          // however much it sends
    SteadyTime deadline_;
};

} // namespace cppcorn

// A call of the app under way: what it may use of its surroundings, and the one place where a worker waits for a
// client.
#pragma once

#include <optional>
#include <string_view>

#include "workers/context/patience.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/handover/request_state.hpp"
#include "workers/transport/output_queue.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

// How a client has kept the app waiting, in one direction, over all waits of a call. The time between two waits is the
// app's own, and not the client's to answer for.
class ClientWait {
  public:
    // The wait begins, `bytes` having gone through so far. When the client has had its time. `rate`: as in Patience.
    SteadyTime begin(SteadyTime now, std::uint64_t bytes, Milliseconds allowance, std::uint64_t rate);
    void end(SteadyTime now) { ended_ = now; }

  private:
    Patience patience_;
    SteadyTime ended_{}; // the last wait, if there was one
};

// Lives on the stack of Exchange::run_app().
struct AppCall {
    Stream& stream;
    WorkerContext& context;
    ClientWait for_body;
    ClientWait for_reader;
    // What was read behind the request, once its response is whole and the connection goes on. Nothing else: not yet.
    std::optional<std::string_view> next;

    // Blocks until something can be done. `bytes` have gone through the stream so far, for which `allowance` is the
    // timeout; in none of these waits it is longer than --timeout. False: the client has had its time, or clients get
    // none (WorkerSettings::waits_in_app). What was waited is added to the request's deadline: it is not the app's.
    bool wait(ClientWait& wait, Stream::Interest interest, std::uint64_t bytes, Milliseconds allowance);

    // Nobody but this worker sends to the client, until the token is lent again. What an understudy has sent of `output`
    // meanwhile leaves it.
    void recall(OutputQueue& output) {
        const std::uint32_t sent = context.desk.recall();
        if (sent == 0) return;
        output.skip(sent);
        stream.add_sent(sent);
    }

    // Some of the response is about to go out. With `next`, all that the client will get is in `output`: what the app
    // does from here on, and be it its death, the client does not notice.
    void note_begun(const OutputQueue& output) {
        if (next && !output.holds_file()) {
            context.desk.answer(*next, output.bytes(), 0, Ending::keep, stream.sent());
        } else {
            context.desk.note_begun();
        }
        context.slot.note_begun();
    }
};

} // namespace cppcorn

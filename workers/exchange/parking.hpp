// An exchange as it is written down for those who go on with it elsewhere, and put together again there. Between calls,
// with no app under way: a request that is in the app is not parked.
//
// A part of its exchange, whose others it reads and fills. What it writes says only where the bytes are, in the arena.
#pragma once

#include <array>
#include <string_view>

#include "base/arena.hpp"
#include "workers/exchange/exchange_log.hpp"
#include "workers/exchange/request_body.hpp"
#include "workers/exchange/response_stream.hpp"
#include "workers/handover/moved_connection.hpp"
#include "workers/handover/seat.hpp"
#include "workers/http/request_parser.hpp"
#include "workers/transport/input_buffer.hpp"
#include "workers/transport/output_queue.hpp"

namespace cppcorn {

class Parking {
  public:
    // All of these outlive it.
    struct Parts {
        InputBuffer& input;
        OutputQueue& output;
        http::RequestParser& parser;
        RequestBody& body;
        ResponseStream& response;
        ExchangeLog& log;
    };
    explicit Parking(const Parts& parts) : parts_(parts) {}

    // It holds until the next call but one. `input_held`: the connection's. Null: not all of it is in the arena, or more
    // files wait than can be told.
    const ParkedRequest* park(const Arena& arena, Stage stage, Ending ending, bool input_held);

    // Of one that was parked elsewhere, into parts that are fresh: the input, with the head before it; once the head was
    // read again, the body, false if its state makes no sense; the answers and their log lines.
    void restore_input(const MovedConnection& moved);
    bool restore_body(MovedConnection& moved, Spool& spool);
    void restore_output(MovedConnection& moved);

    void clear() {
        if (has_output_) forget_output();
    }

  private:
    // In use by turns, so that one is whole while the other one is written.
    struct Parked {
        ParkedRequest request;
        Bytes output; // with what stands behind each file
    };

    std::string_view park_output(Parked& parked);
    void forget_output();

    Parts parts_;
    std::array<Parked, 2> parked_{};
    unsigned last_ = 0;
    bool has_output_ = false; // one of the two
};

} // namespace cppcorn

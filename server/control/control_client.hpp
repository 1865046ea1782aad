// HTTP to the status process over a unix socket (--control-socket): what `cppcorn ctl` and `cppcorn top` ask and order
// with; `top` asks at a status address (--status-bind), too. There is one connection for each call, so that it does not
// matter whether the status process was replaced between two of them, as each reload does. Blocks, up to its patience.
// One thread; of no use after a fork.
//
// To read: GET /status.json, /metrics, /live, /ready, /.
// To steer: POST /reload, /scale?workers=N, /stop, /reopen, /recycle?slot=N, /stack?slot=N, /log-level?level=L, /drain.
// Each is answered by 202 and the number of the order, as give_order() returns it. What becomes of it is at GET
// /orders/N, as read_order() does.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/clock.hpp"
#include "server/release/address.hpp"

namespace cppcorn {

struct ControlAnswer {
    int status = 0;
    std::string body;
};

// There is no answer. what() is one line for people.
class ControlError : public std::runtime_error {
  public:
    enum class Fault {
        absent,    // nobody listens there: no such file, or the server has ended
        forbidden, // the socket, or a directory above it, is not for this user
        broken,    // no answer in time, or not one of ours
    };
    ControlError(Fault fault, const std::string& text) : std::runtime_error(text), fault_(fault) {}
    Fault fault() const { return fault_; }

  private:
    Fault fault_;
};

// What clients exit with for it (server/control/control_codes.hpp).
int code_of(ControlError::Fault fault);

// An order to the master, and what has become of it.
struct ControlOrder {
    enum class State { waiting, running, done, failed };
    std::uint64_t number = 0;
    State state = State::waiting;
    int code = 0;     // what `ctl` exits with, once it is done or failed (server/control/control_codes.hpp)
    std::string text; // for people: may be empty, or have several lines; without a line feed at its end
};

class ControlClient {
  public:
    explicit ControlClient(const std::string& path, Milliseconds patience = std::chrono::seconds(10));
    // A name costs what the resolver takes, which no patience bounds.
    explicit ControlClient(BindAddress address, Milliseconds patience);

    // `target`: the path with its query. All throw ControlError.
    ControlAnswer get(const std::string& target) const { return ask("GET", target); }
    ControlAnswer post(const std::string& target) const { return ask("POST", target); }

    // By POST. An order that is refused at once is one that has failed, and has no number.
    ControlOrder give_order(const std::string& target) const;
    // What has become of it by now. One that is not known any more is one that has failed.
    ControlOrder read_order(std::uint64_t number) const;

    // For people: the path, or the address as logs have it.
    const std::string& name() const { return name_; }

  private:
    ControlAnswer ask(const std::string& method, const std::string& target) const;

    BindAddress address_;
    std::string name_;
    Milliseconds patience_;
};

} // namespace cppcorn

// What was ordered of the master by those who steer the service, and what has become of it, in memory that the master
// shares with its status process. The master writes the outcomes; who hands an order in takes a number for it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/counter.hpp"

namespace cppcorn {

enum class OrderState : std::uint8_t {
    waiting, // the master has not seen it yet
    running,
    done,
    failed,
};

struct OrderOutcome {
    std::uint64_t number = 0;
    OrderState state = OrderState::waiting;
    int code = 0;     // a ControlCode (server/control/control_codes.hpp)
    std::string text; // for people
};

// Plain data, zero at first.
class OrderBook {
  public:
    static constexpr std::size_t most = 32;
    static constexpr std::size_t longest_text = 16'000; // what is longer is cut
    static constexpr std::uint64_t numbers_of_master = 1'000'000'000;
    // As the log names it: 1 is the first of this master.
    static constexpr std::uint64_t shown(std::uint64_t number) { return number % numbers_of_master; }

    // Master, before anybody takes a number. Those of another master, which may have ended, are others: `pid` is this one's.
    void begin(std::uint64_t pid) { given_.set(pid * numbers_of_master); }
    // Master: what it says of that order from now on.
    void note(const OrderOutcome& outcome);

    // Anybody. Passes over numbers whose records are those of orders that are under way. nullopt: all are.
    std::optional<std::uint64_t> take_number();
    // nullopt: there is no such order, or it is forgotten by now.
    std::optional<OrderOutcome> find(std::uint64_t number) const;

  private:
    struct Record {
        Counter version; // odd while it is being written; 0: there is none
        std::uint64_t number;
        std::int32_t code;
        std::uint32_t size;
        OrderState state;
        char text[longest_text];
    };

    Counter given_; // the number that was taken last
    std::array<Record, most> records_;
};
static_assert(std::is_trivially_copyable_v<OrderBook>);

} // namespace cppcorn

// What those who steer the service may ask of the master: the words of `cppcorn ctl`, the targets of POST at the control
// socket, and the message from the status process to the master. All three are one table. Nothing is taken for granted
// of any of them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings/cpu_count.hpp"

namespace cppcorn {

enum class OrderKind : std::uint32_t { reload = 1, scale, stop, reopen, recycle, stack, log_level, drain };

struct Order {
    OrderKind kind = OrderKind::reload;
    std::int64_t argument = 0; // workers, slot, LogLevel; of a reload, 1: the old workers' end is waited for, too

    bool operator==(const Order&) const = default;
};

// As a message. Fixed in size; both sides are forks of one program.
struct OrderMessage {
    static constexpr std::uint32_t current_version = 1;

    std::uint32_t version = current_version;
    std::uint32_t kind = 0;
    std::uint64_t number = 0;
    std::int64_t argument = 0;
};

struct NumberedOrder {
    std::uint64_t number = 0;
    Order order;
};

// An order that is wrong as such; what() is one line.
class OrderError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

enum class OrderArgument { none, number, level, wait_old };

struct OrderRow {
    OrderKind kind;
    std::string_view word; // "log-level"
    OrderArgument argument;
    std::string_view parameter; // of the target's query
    std::string_view shown;     // in the help: "LEVEL"
    std::int64_t least;
    std::int64_t most;
    std::string_view help;
};

inline constexpr std::int64_t highest_slot = 1023;

inline constexpr std::array order_rows{
    OrderRow{OrderKind::reload, "reload", OrderArgument::wait_old, "wait", "[--wait-old]", 0, 1,
             "reload settings and app; done once the new workers serve, or the old ones have gone"},
    OrderRow{OrderKind::scale, "scale", OrderArgument::number, "workers", "N", 1, most_workers,
             "keep so many workers, until the next reload"},
    OrderRow{OrderKind::stop, "stop", OrderArgument::none, "", "", 0, 0,
             "stop gracefully; done once the service has ended"},
    OrderRow{OrderKind::reopen, "reopen", OrderArgument::none, "", "", 0, 0, "open the log files anew"},
    OrderRow{OrderKind::recycle, "recycle", OrderArgument::number, "slot", "SLOT", 0, highest_slot,
             "replace that worker; done once another one serves in its place"},
    OrderRow{OrderKind::stack, "stack", OrderArgument::number, "slot", "SLOT", 0, highest_slot,
             "print where the app is in that worker, which goes on"},
    OrderRow{OrderKind::log_level, "log-level", OrderArgument::level, "level", "LEVEL", 0, 4,
             "change the level of the error log, until the next reload"},
    OrderRow{OrderKind::drain, "drain", OrderArgument::none, "", "", 0, 0,
             "serve on, but say at /ready that no requests are wanted, until the next reload"},
};

const OrderRow& row_of(OrderKind kind);

// From the command line: {"scale", "4"}, {"reload", "--wait-old"}. nullopt: the first word is none of them. Throws
// OrderError.
std::optional<Order> parse_order_words(const std::vector<std::string>& words);
// From a request: "/scale" and "workers=4". nullopt and OrderError likewise.
std::optional<Order> parse_order_target(std::string_view path, std::string_view query);
// "/scale?workers=4".
std::string target_of(const Order& order);
// "scale 4".
std::string text_of(const Order& order);

std::string pack_order(const NumberedOrder& order);
// nullopt for what pack_order() cannot have written.
std::optional<NumberedOrder> unpack_order(std::string_view message);

} // namespace cppcorn

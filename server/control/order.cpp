#include "server/control/order.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/log/escape.hpp"
#include "base/log/log_level.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view wait_old_word = "--wait-old";
constexpr std::string_view wait_old_value = "old";

const OrderRow* find_word(std::string_view word) {
    const auto row =
        std::find_if(order_rows.begin(), order_rows.end(), [&](const OrderRow& each) { return each.word == word; });
    return row == order_rows.end() ? nullptr : row;
}

std::int64_t parse_number(const OrderRow& row, std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc() && end == text.data() + text.size() && text.front() != '-';
    if (!is_number || number < row.least || number > row.most) {
        throw OrderError(fmt::format("{}: '{}' is no number from {} to {}", row.word, escaped(text.substr(0, 40)),
                                     row.least, row.most));
    }
    return number;
}

std::int64_t parse_level(const OrderRow& row, std::string_view text) {
    for (const auto& level : log_levels) {
        if (level.name == text) return static_cast<std::int64_t>(level.level);
    }
    throw OrderError(fmt::format("{}: '{}' is no level; there are {}", row.word, escaped(text.substr(0, 40)),
                                 fmt::join(log_level_names(), ", ")));
}

std::int64_t parse_argument(const OrderRow& row, std::string_view text) {
    switch (row.argument) {
        case OrderArgument::number:
            return parse_number(row, text);
        case OrderArgument::level:
            return parse_level(row, text);
        case OrderArgument::wait_old:
        case OrderArgument::none:
            break;
    }
    return 0;
}

bool needs_argument(const OrderRow& row) {
    return row.argument == OrderArgument::number || row.argument == OrderArgument::level;
}

[[noreturn]] void refuse_usage(const OrderRow& row) {
    throw OrderError(fmt::format("usage: {}{}{}", row.word, row.shown.empty() ? "" : " ", row.shown));
}

bool is_possible(const OrderRow& row, std::int64_t argument) {
    return argument >= row.least && argument <= row.most;
}

} // namespace

const OrderRow& row_of(OrderKind kind) {
    return *std::find_if(order_rows.begin(), order_rows.end(), [&](const OrderRow& row) { return row.kind == kind; });
}

std::optional<Order> parse_order_words(const std::vector<std::string>& words) {
    const OrderRow* const row = words.empty() ? nullptr : find_word(words.front());
    if (row == nullptr) return std::nullopt;
    const bool waits = row->argument == OrderArgument::wait_old && words.size() == 2 && words[1] == wait_old_word;
    if (waits) return Order{row->kind, 1};
    if (words.size() != (needs_argument(*row) ? 2U : 1U)) refuse_usage(*row);
    return Order{row->kind, needs_argument(*row) ? parse_argument(*row, words[1]) : 0};
}

std::optional<Order> parse_order_target(std::string_view path, std::string_view query) {
    const OrderRow* const row = path.starts_with('/') ? find_word(path.substr(1)) : nullptr;
    if (row == nullptr) return std::nullopt;
    const auto equals = query.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : query.substr(equals + 1);
    const bool is_named = equals != std::string_view::npos && query.substr(0, equals) == row->parameter;
    const bool waits = row->argument == OrderArgument::wait_old && is_named && value == wait_old_value;
    if (waits) return Order{row->kind, 1};
    if (query.empty() && !needs_argument(*row)) return Order{row->kind, 0};
    if (!needs_argument(*row) || !is_named || value.empty()) {
        throw OrderError(fmt::format("it is POST {}", row->parameter.empty()
                                                          ? fmt::format("/{}", row->word)
                                                          : fmt::format("/{}?{}=…", row->word, row->parameter)));
    }
    return Order{row->kind, parse_argument(*row, value)};
}

std::string target_of(const Order& order) {
    const OrderRow& row = row_of(order.kind);
    switch (row.argument) {
        case OrderArgument::number:
            return fmt::format("/{}?{}={}", row.word, row.parameter, order.argument);
        case OrderArgument::level:
            return fmt::format("/{}?{}={}", row.word, row.parameter,
                               row_of(static_cast<LogLevel>(order.argument)).name);
        case OrderArgument::wait_old:
            return fmt::format("/{}{}", row.word,
                               order.argument == 0 ? "" : fmt::format("?{}={}", row.parameter, wait_old_value));
        case OrderArgument::none:
            break;
    }
    return fmt::format("/{}", row.word);
}

std::string text_of(const Order& order) {
    const OrderRow& row = row_of(order.kind);
    switch (row.argument) {
        case OrderArgument::number:
            return fmt::format("{} {}", row.word, order.argument);
        case OrderArgument::level:
            return fmt::format("{} {}", row.word, row_of(static_cast<LogLevel>(order.argument)).name);
        case OrderArgument::wait_old:
            return fmt::format("{}{}{}", row.word, order.argument == 0 ? "" : " ",
                               order.argument == 0 ? "" : wait_old_word);
        case OrderArgument::none:
            break;
    }
    return std::string(row.word);
}

std::string pack_order(const NumberedOrder& order) {
    OrderMessage message;
    message.kind = static_cast<std::uint32_t>(order.order.kind);
    message.number = order.number;
    message.argument = order.order.argument;
    return {reinterpret_cast<const char*>(&message), sizeof message};
}

std::optional<NumberedOrder> unpack_order(std::string_view bytes) {
    OrderMessage message;
    if (bytes.size() != sizeof message) return std::nullopt;
    std::memcpy(&message, bytes.data(), sizeof message);
    if (message.version != OrderMessage::current_version || message.number == 0) return std::nullopt;
    const auto row = std::find_if(order_rows.begin(), order_rows.end(), [&](const OrderRow& each) {
        return static_cast<std::uint32_t>(each.kind) == message.kind;
    });
    if (row == order_rows.end() || !is_possible(*row, message.argument)) return std::nullopt;
    return NumberedOrder{message.number, {row->kind, message.argument}};
}

} // namespace cppcorn

#include "server/control/order_window.hpp"

#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "server/control/order.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view orders_path = "/orders/";
constexpr std::array<std::string_view, 4> state_names{"waiting", "running", "done", "failed"};

// With a replacement for what is no UTF-8.
StatusPage json(int status, const nlohmann::json& value) {
    return {.status = status,
            .type = "application/json",
            .body = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

StatusPage line(int status, std::string text) {
    return {.status = status, .body = std::move(text) + "\n"};
}

StatusPage post_only(std::string_view path) {
    StatusPage page = line(405, fmt::format("It is POST {}", path));
    page.allow = "POST";
    return page;
}

std::string known_targets() {
    std::vector<std::string> targets;
    for (const auto& row : order_rows) targets.push_back(fmt::format("/{}", row.word));
    return fmt::format("There are POST {}, and GET /orders/N", fmt::join(targets, ", "));
}

} // namespace

std::optional<StatusPage> OrderWindow::answer(std::string_view caller, std::string_view method, std::string_view path,
                                              std::string_view query) {
    const bool reads = method == "GET" || method == "HEAD";
    if (reads && path.starts_with(orders_path)) return outcome(path.substr(orders_path.size()));
    try {
        const auto order = parse_order_target(path, reads ? std::string_view() : query);
        if (order && method == "POST") return take(caller, *order);
        if (order) return post_only(path);
    } catch (const OrderError& error) {
        return method == "POST" ? line(400, error.what()) : post_only(path);
    }
    if (method == "POST") return line(404, known_targets());
    return std::nullopt;
}

StatusPage OrderWindow::take(std::string_view caller, const Order& order) {
    const auto number = book_.take_number();
    if (!number) return line(503, "Too many orders are under way");
    // Before the master's own line.
    spdlog::info("Order {} from {}: {}", OrderBook::shown(*number), caller, text_of(order));
    if (!post_.put({*number, order})) return line(503, "Too many orders are under way");
    return json(202, {{"order", *number}});
}

StatusPage OrderWindow::outcome(std::string_view text) const {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    const auto outcome = is_number ? book_.find(number) : std::nullopt;
    if (!outcome) return line(404, "There is no such order, or it is forgotten");
    return json(200, {{"order", outcome->number},
                      {"state", state_names[static_cast<std::size_t>(outcome->state) % state_names.size()]},
                      {"code", outcome->code},
                      {"text", outcome->text}});
}

} // namespace cppcorn

// Orders at the control socket, as a client may write them and as a status process gone wrong might pass them on: what is
// taken for an order is one, and comes to the master as it was given; all else leaves no trace.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/control/order_window.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace cppcorn;

void check_order(const Order& order, const std::string& input) {
    const OrderRow& row = row_of(order.kind);
    fuzz::require(order.argument >= row.least && order.argument <= row.most, "an argument out of bounds", input);
    const std::string target = target_of(order);
    const auto question = std::min(target.find('?'), target.size());
    const std::string_view query = std::string_view(target).substr(std::min(question + 1, target.size()));
    fuzz::require(parse_order_target(target.substr(0, question), query) == order, "another order as a target", target);
    fuzz::require(!text_of(order).empty(), "an order without a text");
}

void check_message(const std::string& bytes) {
    const auto order = unpack_order(bytes);
    if (!order) return;
    check_order(order->order, bytes);
    fuzz::require(pack_order(*order) == bytes, "a message that would be written otherwise", bytes);
}

void check_window(std::string_view method, const std::string& path, const std::string& query) {
    static const auto book = std::make_unique<OrderBook>();
    static const OrderPost post = OrderPost::open();
    book->begin(4711);
    OrderWindow window(*book, post);
    const auto page = window.answer("pid:1 uid:0", method, path, query);
    const auto taken = post.take();
    const bool is_accepted = page && page->status == 202;
    fuzz::require(is_accepted == taken.has_value(), "accepted and not passed on, or the other way round", path);
    fuzz::require(!taken || method == "POST", "an order that was not sent as one", path);
    if (taken) check_order(taken->order, path);
    if (page) fuzz::require(page->body.size() < 500 && page->body.ends_with('\n'), "no short line", page->body);
    if (page && page->status != 200 && page->status != 202) {
        fuzz::require(page->body.find('\n') == page->body.size() - 1, "more than a line", page->body);
    }
}

void check_words(const std::string& text) {
    std::vector<std::string> words{""};
    for (const char c : text) {
        if (c == ' ') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    try {
        if (const auto order = parse_order_words(words)) check_order(*order, text);
    } catch (const OrderError& error) {
        fuzz::require(std::string_view(error.what()).find('\n') == std::string_view::npos, "more than a line", text);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    spdlog::set_level(spdlog::level::off);
    FuzzedDataProvider choices(data, size);
    constexpr std::string_view methods[] = {"POST", "GET", "HEAD", "PUT"};
    const std::string_view method = choices.PickValueInArray(methods);
    const std::string text = choices.ConsumeRemainingBytesAsString();
    const auto question = text.find('?');
    check_window(method, text.substr(0, question), question == std::string::npos ? "" : text.substr(question + 1));
    check_words(text);
    check_message(text);
    return 0;
}

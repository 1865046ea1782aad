#include "workers/handover/last_answer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/fixdate.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view id_label = "Request id: ";
constexpr std::size_t longest_id = 200;

// The worker's memory may be anything by now.
bool is_plain(std::string_view id) {
    return id.size() <= longest_id && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

} // namespace

LastAnswer::LastAnswer(bool overran, bool is_head_request, std::string_view request_id, std::int64_t now) {
    const std::string_view status = overran ? "504 Gateway Timeout" : "500 Internal Server Error";
    add("HTTP/1.1 ");
    add(status);
    add("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    const std::string_view id = is_plain(request_id) ? request_id : std::string_view();
    add_number(status.size() + 1 + (id.empty() ? 0 : id_label.size() + id.size() + 1));
    add("\r\nServer: cppcorn\r\nDate: ");
    const auto date = fixdate(now);
    add({date.data(), date.size()});
    add("\r\nConnection: close\r\n\r\n");
    if (is_head_request) return;
    add(status);
    add("\n");
    if (id.empty()) return;
    add(id_label);
    add(id);
    add("\n");
}

void LastAnswer::add(std::string_view text) {
    const std::size_t count = std::min(text.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, text.data(), count);
    size_ += count;
}

void LastAnswer::add_number(std::size_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

} // namespace cppcorn

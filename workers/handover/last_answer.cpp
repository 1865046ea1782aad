#include "workers/handover/last_answer.hpp"

#include <algorithm>
#include <cstring>

#include "base/fixdate.hpp"

namespace cppcorn {

LastAnswer::LastAnswer(bool overran, bool is_head_request, std::int64_t now) {
    const std::string_view status = overran ? "504 Gateway Timeout" : "500 Internal Server Error";
    add("HTTP/1.1 ");
    add(status);
    add("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    add(overran ? "20" : "26"); // of the status line's text and a line end
    add("\r\nServer: cppcorn\r\nDate: ");
    const auto date = fixdate(now);
    add({date.data(), date.size()});
    add("\r\nConnection: close\r\n\r\n");
    if (is_head_request) return;
    add(status);
    add("\n");
}

void LastAnswer::add(std::string_view text) {
    const std::size_t count = std::min(text.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, text.data(), count);
    size_ += count;
}

} // namespace cppcorn

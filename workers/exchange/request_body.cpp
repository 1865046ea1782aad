#include "workers/exchange/request_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cppcorn {

bool RequestBody::is_small() const {
    return parser_.head().chunked() || static_cast<std::uint64_t>(parser_.head().content_length) <= buffer_size_;
}

bool RequestBody::gather_more() {
    while (!complete_) {
        const bool enough = buffered_.size() >= buffer_size_ || (continue_wanted_ && input_.empty());
        if (enough) return true;
        if (!take_piece()) return false;
    }
    return true;
}

bool RequestBody::take_piece() {
    if (taken_ == buffered_.size()) {
        buffered_.clear();
        taken_ = 0;
    }
    const http::Progress progress = parser_.next(input_.unconsumed());
    if (progress.step == http::Step::refused) {
        error_ = parser_.refusal().status == 413 ? -EFBIG : -EBADMSG;
        return false;
    }
    buffered_.append(progress.body);
    if (!progress.body.empty()) continue_wanted_ = false; // it did not wait to be told
    input_.consume(progress.consumed);
    if (progress.step == http::Step::end) complete_ = true;
    return progress.step != http::Step::need_more;
}

std::size_t RequestBody::give(char* buffer, std::size_t room) {
    const std::size_t count = std::min(room, available());
    std::memcpy(buffer, buffered_.data() + taken_, count);
    taken_ += count;
    return count;
}

bool RequestBody::is_short_enough() const {
    if (parser_.head().chunked()) return true;
    return static_cast<std::uint64_t>(parser_.head().content_length) - received() <= drain_size;
}

bool RequestBody::drain() {
    do {
        buffered_.clear();
        taken_ = 0;
    } while (!complete_ && take_piece());
    return error_ == 0 && received() - drained_from_ <= drain_size;
}

} // namespace cppcorn

#include "workers/transport/input_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cppcorn {

InputBuffer::Room InputBuffer::room(std::size_t least) {
    if (begin_ == end_) begin_ = end_ = pinned_;
    if (bytes_.size() - end_ < least && begin_ > pinned_) {
        std::memmove(bytes_.data() + pinned_, bytes_.data() + begin_, end_ - begin_);
        end_ = pinned_ + (end_ - begin_);
        begin_ = pinned_;
    }
    if (bytes_.size() - end_ < least) grow(least);
    return {bytes_.data() + end_, bytes_.size() - end_};
}

void InputBuffer::grow(std::size_t least) {
    const std::size_t capacity = std::max({first_capacity, bytes_.size() * 2, end_ + least});
    if (pinned_ == 0) {
        bytes_.resize(capacity);
        return;
    }
    outgrown_ = std::exchange(bytes_, Block(capacity));
    std::memcpy(bytes_.data(), outgrown_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = pinned_ = 0;
}

void InputBuffer::clear() {
    unpin();
    begin_ = end_ = 0;
}

} // namespace cppcorn

#include "workers/input_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace cppcorn {

InputBuffer::Room InputBuffer::room(std::size_t least) {
    if (begin_ == end_) begin_ = end_ = pinned_;
    if (bytes_.size() - end_ < least && begin_ > pinned_) {
        std::memmove(bytes_.data() + pinned_, bytes_.data() + begin_, end_ - begin_);
        end_ = pinned_ + (end_ - begin_);
        begin_ = pinned_;
    }
    if (bytes_.size() - end_ < least) bytes_.resize(std::max({first_capacity, bytes_.size() * 2, end_ + least}));
    return {bytes_.data() + end_, bytes_.size() - end_};
}

} // namespace cppcorn

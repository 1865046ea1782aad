#include "workers/exchange/request_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cppcorn {

bool RequestBody::is_small() const {
    return parser_.head().chunked() || static_cast<std::uint64_t>(parser_.head().content_length) <= buffer_size_;
}

bool RequestBody::gather_more() {
    wants_room_ = false;
    while (!complete_) {
        if (spool_ != nullptr && !file_ && (!is_small() || buffered_.size() >= buffer_size_)) begin_file();
        if (will_never_fit()) spool_ = nullptr;
        if (!is_growing() && has_enough()) return true;
        wants_room_ = !has_room();
        if (wants_room_ || !take_piece()) return false;
    }
    return true;
}

bool RequestBody::will_never_fit() const {
    return spool_ != nullptr && file_ && !spool_->can_hold(file_->size() + most_to_keep());
}

// Of what has arrived. Behind a body of known length there may be other requests.
std::uint64_t RequestBody::most_to_keep() const {
    const http::RequestHead& head = parser_.head();
    const std::uint64_t here = input_.unconsumed().size();
    return head.chunked() ? here
                          : std::min<std::uint64_t>(here, static_cast<std::uint64_t>(head.content_length) - received());
}

bool RequestBody::has_enough() const {
    const bool is_held_back = continue_wanted_ && input_.empty() && !is_small();
    return file_ != nullptr || buffered_.size() >= buffer_size_ || is_held_back;
}

// Without a file it is read as if there were no spool.
void RequestBody::begin_file() {
    const http::RequestHead& head = parser_.head();
    file_ = SpoolFile::open(*spool_, head.chunked() ? 0 : static_cast<std::uint64_t>(head.content_length));
    read_of_file_ = 0;
    const bool is_begun = file_ && (buffered_.empty() || file_->append(buffered_) == SpoolFile::Result::done);
    if (!is_begun) {
        file_.reset();
        spool_ = nullptr;
        return;
    }
    Bytes().swap(buffered_);
    taken_ = 0;
}

void RequestBody::resume_file(Spool& spool, UniqueFd file, std::uint64_t size) {
    const std::int64_t expected = std::max<std::int64_t>(parser_.head().content_length, 0);
    file_ = SpoolFile::adopt(spool, std::move(file), size, static_cast<std::uint64_t>(expected));
}

void RequestBody::keep(std::string_view bytes) {
    if (is_growing() && !bytes.empty()) {
        if (file_->append(bytes) == SpoolFile::Result::done) return;
        spool_ = nullptr;
    }
    buffered_.append(bytes);
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
    keep(progress.body);
    if (!progress.body.empty()) continue_wanted_ = false; // it did not wait to be told
    input_.consume(progress.consumed);
    if (progress.step == http::Step::end) complete_ = true;
    return progress.step != http::Step::need_more;
}

std::int64_t RequestBody::give(char* buffer, std::size_t room) {
    if (file_ && read_of_file_ < file_->size()) {
        const std::int64_t got = file_->read(buffer, room, read_of_file_);
        if (got < 0) return error_ = -EIO;
        read_of_file_ += static_cast<std::uint64_t>(got);
        return got;
    }
    const std::size_t count = std::min(room, buffered_.size() - taken_);
    std::memcpy(buffer, buffered_.data() + taken_, count);
    taken_ += count;
    return static_cast<std::int64_t>(count);
}

bool RequestBody::is_short_enough() const {
    if (parser_.head().chunked()) return true;
    return static_cast<std::uint64_t>(parser_.head().content_length) - received() <= drain_size;
}

bool RequestBody::drain() {
    spool_ = nullptr;
    do {
        buffered_.clear();
        taken_ = 0;
    } while (!complete_ && take_piece());
    return error_ == 0 && received() - drained_from_ <= drain_size;
}

} // namespace cppcorn

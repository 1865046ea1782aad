#include "workers/transport/output_queue.hpp"

#include <algorithm>
#include <cerrno>

namespace cppcorn {
namespace {

constexpr std::size_t file_weight = 64 * 1024; // of an open file, in bytes that wait: descriptors are few
constexpr std::size_t keep_capacity = 64 * 1024;
constexpr std::size_t most_files = 2;
constexpr std::uint64_t too_large_to_copy = 8 << 20;

} // namespace

void OutputQueue::append_file(UniqueFd file, std::int64_t offset, std::uint64_t size) {
    files_.push_back({std::move(file), offset, size, {}, nullptr});
}

bool OutputQueue::can_hold_file(std::uint64_t size) const {
    return files_.empty() || (files_.size() < most_files && size >= too_large_to_copy);
}

bool OutputQueue::spill(Spool& spool, std::string_view more) {
    const bool is_replaced = is_spooling() && files_.size() < most_files && files_.back().spooled->is_long();
    if (is_spooling() && !is_replaced) {
        FilePart& part = files_.back();
        return spill_from(part.after, 0, part, more);
    }
    if (files_.size() >= most_files) return false;
    FilePart part{{}, 0, 0, {}, SpoolFile::open(spool)};
    if (!part.spooled) return false;
    Bytes& before = tail();
    const std::size_t begin = files_.empty() ? sent_ : 0;
    if (!spill_from(before, begin, part, more)) return false;
    if (files_.empty()) sent_ = 0;
    files_.push_back(std::move(part));
    return true;
}

// Leaves `bytes` empty, without memory.
bool OutputQueue::spill_from(Bytes& bytes, std::size_t begin, FilePart& part, std::string_view more) {
    const std::string_view first = std::string_view(bytes).substr(begin);
    if (part.spooled->append(first, more) != SpoolFile::Result::done) return false;
    part.left += first.size() + more.size();
    Bytes().swap(bytes);
    return true;
}

OutputQueue::Result OutputQueue::flush_with(Stream& stream, std::string_view extra) {
    std::size_t taken = 0;
    const Result result = flush_with(stream, extra, taken);
    tail().append(extra.substr(taken));
    return result;
}

OutputQueue::Result OutputQueue::flush_with(Stream& stream, std::string_view extra, std::size_t& taken) {
    Result result;
    for (;;) {
        result = flush_bytes(stream, files_.empty() ? extra : std::string_view{}, taken);
        if (result != Result::drained || files_.empty()) break;
        result = flush_file(stream);
        if (result != Result::drained) break;
        head_ = std::move(files_.front().after);
        sent_ = 0;
        files_.pop_front();
    }
    return result;
}

OutputQueue::Result OutputQueue::flush_bytes(Stream& stream, std::string_view extra, std::size_t& extra_taken) {
    while (sent_ < head_.size() || extra_taken < extra.size()) {
        const std::string_view first = std::string_view(head_).substr(sent_);
        const std::string_view second = extra.substr(extra_taken);
        const std::int64_t sent = first.empty() ? stream.write(second, {}) : stream.write(first, second);
        if (sent == -EAGAIN) {
            forget_sent();
            return Result::waiting;
        }
        if (sent < 0) return Result::failed;
        const auto count = static_cast<std::size_t>(sent);
        sent_total_ += count;
        const auto of_first = std::min(count, first.size());
        sent_ += of_first;
        extra_taken += count - of_first;
    }
    head_.clear();
    if (head_.capacity() > keep_capacity) head_.shrink_to_fit();
    sent_ = 0;
    return Result::drained;
}

OutputQueue::Result OutputQueue::flush_file(Stream& stream) {
    FilePart& part = files_.front();
    while (part.left > 0) {
        const std::int64_t sent = stream.send_file(part.fd(), part.offset, part.left);
        if (sent == -EAGAIN) return Result::waiting;
        if (sent <= 0) {
            file_failed_ = sent == 0 || sent == -EIO;
            return Result::failed;
        }
        part.offset += sent;
        part.left -= static_cast<std::uint64_t>(sent);
        sent_total_ += static_cast<std::uint64_t>(sent);
    }
    return Result::drained;
}

// So that a queue that is never quite drained does not grow. What is left moves to the front: not more of it than went
// out since the last time, or a large response would be moved again and again.
void OutputQueue::forget_sent() {
    if (sent_ < keep_capacity || sent_ < head_.size() / 2) return;
    head_.erase(0, sent_);
    sent_ = 0;
}

std::size_t OutputQueue::behind_files() const {
    std::size_t bytes = 0;
    for (const auto& part : files_) bytes += part.after.size();
    return bytes;
}

std::size_t OutputQueue::waiting_in_files() const {
    return behind_files() + files_.size() * file_weight;
}

std::uint64_t OutputQueue::left_in_files() const {
    std::uint64_t bytes = 0;
    for (const auto& part : files_) bytes += part.left + part.after.size();
    return bytes;
}

void OutputQueue::clear() {
    file_failed_ = false;
    head_.clear();
    if (head_.capacity() > keep_capacity) head_.shrink_to_fit(); // to nothing
    sent_ = 0;
    files_.clear();
}

} // namespace cppcorn

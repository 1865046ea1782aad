#include "workers/transport/output_queue.hpp"

#include <algorithm>
#include <cerrno>

namespace cppcorn {
namespace {

constexpr std::size_t file_weight = 64 * 1024; // of an open file, in bytes that wait: descriptors are few
constexpr std::size_t keep_capacity = 64 * 1024;

} // namespace

void OutputQueue::append_file(UniqueFd file, std::int64_t offset, std::uint64_t size) {
    files_.push_back({std::move(file), offset, size, {}});
}

OutputQueue::Result OutputQueue::flush_with(Stream& stream, std::string_view extra) {
    std::size_t extra_taken = 0;
    Result result;
    for (;;) {
        result = flush_bytes(stream, files_.empty() ? extra : std::string_view{}, extra_taken);
        if (result != Result::drained || files_.empty()) break;
        result = flush_file(stream);
        if (result != Result::drained) break;
        head_ = std::move(files_.front().after);
        sent_ = 0;
        files_.pop_front();
    }
    tail().append(extra.substr(extra_taken));
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
        const std::int64_t sent = stream.send_file(part.file.get(), part.offset, part.left);
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

std::size_t OutputQueue::waiting_in_files() const {
    std::size_t bytes = 0;
    for (const auto& part : files_) bytes += part.after.size() + file_weight;
    return bytes;
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

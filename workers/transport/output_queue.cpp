#include "workers/transport/output_queue.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace cppcorn {
namespace {

constexpr std::size_t file_piece = 64 * 1024;  // read at a time where sendfile is off or cannot serve the file
constexpr std::size_t file_weight = 16 * 1024; // of an open file, in bytes that wait: descriptors are few
constexpr std::size_t keep_capacity = 64 * 1024;

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

ssize_t send_two(int socket, std::string_view first, std::string_view second) {
    ssize_t sent;
    do {
        if (second.empty()) {
            sent = ::send(socket, first.data(), first.size(), MSG_NOSIGNAL);
        } else {
            iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                              {const_cast<char*>(second.data()), second.size()}};
            msghdr message{};
            message.msg_iov = parts;
            message.msg_iovlen = 2;
            sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
        }
    } while (sent < 0 && errno == EINTR);
    return sent;
}

// Copies through memory. As sendfile: how many bytes went out, 0 at the file's end, -1 and errno.
ssize_t send_copied(int socket, int file, std::int64_t offset, std::size_t size) {
    char piece[file_piece];
    ssize_t got;
    do {
        got = ::pread(file, piece, std::min(size, sizeof piece), offset);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    return send_two(socket, {piece, static_cast<std::size_t>(got)}, {});
}

} // namespace

std::string& OutputQueue::tail() {
    return files_.empty() ? head_ : files_.back().after;
}

void OutputQueue::append_file(UniqueFd file, std::int64_t offset, std::uint64_t size) {
    files_.push_back({std::move(file), offset, size, {}});
}

OutputQueue::Result OutputQueue::flush(int socket, bool use_sendfile) {
    return flush_with(socket, use_sendfile, {});
}

OutputQueue::Result OutputQueue::flush_with(int socket, bool use_sendfile, std::string_view extra) {
    std::size_t extra_taken = 0;
    Result result;
    for (;;) {
        result = flush_bytes(socket, files_.empty() ? extra : std::string_view{}, extra_taken);
        if (result != Result::drained || files_.empty()) break;
        result = flush_file(socket, use_sendfile);
        if (result != Result::drained) break;
        head_ = std::move(files_.front().after);
        sent_ = 0;
        files_.pop_front();
    }
    tail().append(extra.substr(extra_taken));
    return result;
}

OutputQueue::Result OutputQueue::flush_bytes(int socket, std::string_view extra, std::size_t& extra_taken) {
    while (sent_ < head_.size() || extra_taken < extra.size()) {
        const std::string_view first = std::string_view(head_).substr(sent_);
        const std::string_view second = extra.substr(extra_taken);
        const ssize_t sent = first.empty() ? send_two(socket, second, {}) : send_two(socket, first, second);
        if (sent < 0 && !would_block()) return Result::failed;
        if (sent < 0) {
            forget_sent();
            return Result::waiting;
        }
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

OutputQueue::Result OutputQueue::flush_file(int socket, bool use_sendfile) {
    FilePart& part = files_.front();
    while (part.left > 0) {
        const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(part.left, 1 << 30));
        ssize_t sent = -1;
        if (use_sendfile) {
            off_t offset = part.offset;
            sent = ::sendfile(socket, part.file.get(), &offset, piece);
            if (sent < 0 && errno == EINTR) continue;
        }
        const bool unsuited = use_sendfile && sent < 0 && (errno == EINVAL || errno == ENOSYS);
        if (!use_sendfile || unsuited) sent = send_copied(socket, part.file.get(), part.offset, piece);
        if (sent < 0 && would_block()) return Result::waiting;
        if (sent <= 0) return Result::failed;
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

std::size_t OutputQueue::waiting_bytes() const {
    std::size_t bytes = head_.size() - sent_;
    for (const auto& part : files_) bytes += part.after.size() + file_weight;
    return bytes;
}

void OutputQueue::clear() {
    head_.clear();
    sent_ = 0;
    files_.clear();
}

} // namespace cppcorn

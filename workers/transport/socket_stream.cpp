#include "workers/transport/socket_stream.hpp"

#include <algorithm>
#include <utility>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t copied_piece = 64 * 1024;  // of a file, where sendfile is off or cannot serve it
constexpr std::size_t sent_piece = 1 << 30;      // the most that one call is asked for
constexpr std::int64_t longest_wait_ms = 60'000; // so that a far deadline fits poll's number

std::int64_t result_of(ssize_t result) {
    if (result >= 0) return result;
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

} // namespace

void SocketStream::note_calls(CallNotes& notes) {
    notes_ = &notes;
    begin_call(CallNote::Kind::none); // what stands there may be of another connection that had this descriptor
}

CallNote& SocketStream::begin_call(CallNote::Kind kind, iovec* parts, std::size_t count) {
    CallNote note{fd() + 1, kind, received(), sent(), {}};
    note.call.msg_hdr.msg_iov = parts;
    note.call.msg_hdr.msg_iovlen = count;
    return notes_->begin(note);
}

std::int64_t SocketStream::read(char* buffer, std::size_t room) {
    if (notes_ != nullptr) return noted_read(buffer, room);
    const auto got = result_of(retry_interrupted([&] { return ::recv(fd(), buffer, room, MSG_DONTWAIT); }));
    if (got > 0) add_received(static_cast<std::uint64_t>(got));
    return got;
}

std::int64_t SocketStream::noted_read(char* buffer, std::size_t room) {
    iovec piece{buffer, room};
    mmsghdr& call = begin_call(CallNote::Kind::receives, &piece, 1).call;
    const int done = retry_interrupted([&] { return ::recvmmsg(fd(), &call, 1, MSG_DONTWAIT, nullptr); });
    if (done < 0) return result_of(done);
    add_received(call.msg_len);
    return call.msg_len;
}

std::int64_t SocketStream::write(std::string_view first, std::string_view second) {
    iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                      {const_cast<char*>(second.data()), second.size()}};
    const std::size_t count = second.empty() ? 1 : 2;
    if (notes_ != nullptr) return counted(noted_write(parts, count));
    if (count == 1) {
        return counted(retry_interrupted([&] { return ::send(fd(), first.data(), first.size(), MSG_NOSIGNAL); }));
    }
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    return counted(retry_interrupted([&] { return ::sendmsg(fd(), &message, MSG_NOSIGNAL); }));
}

std::int64_t SocketStream::noted_write(iovec* parts, std::size_t count) {
    mmsghdr& call = begin_call(CallNote::Kind::sends, parts, count).call;
    const int done = retry_interrupted([&] { return ::sendmmsg(fd(), &call, 1, MSG_NOSIGNAL); });
    return done < 0 ? -1 : static_cast<std::int64_t>(call.msg_len);
}

std::int64_t SocketStream::counted(std::int64_t result) {
    if (result > 0) add_sent(static_cast<std::uint64_t>(result));
    return result_of(result);
}

std::int64_t SocketStream::send_file(int file, std::int64_t offset, std::size_t size) {
    if (!use_sendfile_) return send_copied(file, offset, size);
    off_t at = offset;
    const std::size_t piece = std::min(size, sent_piece);
    if (notes_ != nullptr) begin_call(CallNote::Kind::unknown);
    const auto sent = counted(retry_interrupted([&] { return ::sendfile(fd(), file, &at, piece); }));
    if (notes_ != nullptr) begin_call(CallNote::Kind::none);
    const bool unsuited = sent == -EINVAL || sent == -ENOSYS;
    return unsuited ? send_copied(file, offset, size) : sent;
}

std::int64_t SocketStream::send_copied(int file, std::int64_t offset, std::size_t size) {
    char piece[copied_piece];
    const ssize_t got = retry_interrupted([&] { return ::pread(file, piece, std::min(size, sizeof piece), offset); });
    if (got < 0) return -EIO; // whatever it was, it is no reason to wait for the client
    if (got == 0) return 0;
    return write({piece, static_cast<std::size_t>(got)}, {});
}

std::uint64_t SocketStream::untaken() {
    int bytes = 0;
    if (::ioctl(fd(), SIOCOUTQNSD, &bytes) != 0) return 0; // not TCP: what was written is at the client's end
    return ::ioctl(fd(), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void SocketStream::close_write() {
    ::shutdown(fd(), SHUT_WR);
}

void SocketStream::set_reset_on_close(bool reset) {
    if (std::exchange(resets_, reset) == reset) return;
    const struct linger how { reset ? 1 : 0, 0 };
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

bool SocketStream::is_closed_by_client() {
    pollfd entry{fd(), POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool SocketStream::wait_until(Interest interest, SteadyTime deadline) {
    short events = 0;
    if (interest != Interest::to_write) events |= POLLIN;
    if (interest != Interest::to_read) events |= POLLOUT;
    for (;;) {
        const auto left = std::chrono::ceil<Milliseconds>(deadline - SteadyClock::now());
        pollfd entry{fd(), events, 0};
        const int count =
            ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, longest_wait_ms)));
        if (count > 0) return true;
        if (count == 0 && SteadyClock::now() >= deadline) return false;
    }
}

} // namespace cppcorn

#include "server/release/passed_queue.hpp"

#include <charconv>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

struct Offer {
    std::uint32_t version = 0;
    int take = -1;
    int put = -1;
    int answer = -1;
};

template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return true;
}

// What stands behind is of later versions.
std::optional<Offer> read_offer(std::string_view text) {
    Offer offer;
    const bool is_whole = take_number(text, offer.version) && take_number(text, offer.take) &&
                          take_number(text, offer.put) && take_number(text, offer.answer);
    return is_whole && offer.version >= 1 ? std::optional(offer) : std::nullopt;
}

bool is_message_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return fd > 2 && ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// Ours from now on.
UniqueFd own(int fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return UniqueFd(fd);
}

// No more of the queue is known than that it is one.
void make_nonblocking(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void answer(int socket) {
    const std::uint32_t version = ConnectionRecord::current_version;
    [[maybe_unused]] const auto ignored = ::send(socket, &version, sizeof version, MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

QueueAnswer::QueueAnswer(ServerFd& successors_end) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), "cannot make a socket pair");
    socket_.reset(ends[0]);
    successors_end.reset(ends[1]);
}

bool QueueAnswer::has_come() {
    std::uint32_t version = 0;
    if (!version_ && ::recv(socket_.get(), &version, sizeof version, MSG_DONTWAIT) == sizeof version) {
        version_ = version;
    }
    return version_.has_value();
}

std::string offer_of_queue(int take, int put, int answer) {
    return fmt::format("{} {} {} {}", ConnectionRecord::current_version, take, put, answer);
}

ServiceQueue open_queue(std::string_view text) {
    if (text.empty()) return {MoveQueue::make(), false};
    const auto offer = read_offer(text);
    if (!offer || !is_message_socket(offer->take) || !is_message_socket(offer->put) ||
        !is_message_socket(offer->answer)) {
        spdlog::warn("{}='{}' is not understood: connections of the old master's workers do not come to this one",
                     connections_variable, text);
        return {MoveQueue::make(), false};
    }
    make_nonblocking(offer->take);
    make_nonblocking(offer->put);
    answer(own(offer->answer).get());
    return {MoveQueue(own(offer->take), own(offer->put)), true};
}

} // namespace cppcorn

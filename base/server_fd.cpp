#include "base/server_fd.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include <fcntl.h>
#include <sys/socket.h>

namespace cppcorn {
namespace {

// A bit for each descriptor. Atomic, as an app's thread may make the log open a file. Those beyond it are closed by
// their owners, but by no child.
constexpr int most_known = 65'536;
std::array<std::atomic<std::uint64_t>, most_known / 64> known_fds{};

std::atomic<std::uint64_t>& word_of(int fd) {
    return known_fds[static_cast<std::size_t>(fd) / 64];
}

std::uint64_t bit_of(int fd) {
    return std::uint64_t{1} << (static_cast<unsigned>(fd) % 64);
}

void add(int fd) {
    if (fd >= 0 && fd < most_known) word_of(fd).fetch_or(bit_of(fd));
}

// False if it was not known: it has been closed already.
bool remove(int fd) {
    if (fd >= most_known) return true;
    return (word_of(fd).fetch_and(~bit_of(fd)) & bit_of(fd)) != 0;
}

} // namespace

void ServerFd::reset(int fd) {
    if (fd_ >= 0 && remove(fd_)) ::close(fd_);
    fd_ = fd;
    add(fd);
}

UniqueFd ServerFd::take() {
    const int fd = std::exchange(fd_, -1);
    return UniqueFd(fd >= 0 && remove(fd) ? fd : -1);
}

namespace {

template <class Action>
void for_each_server_fd(std::span<const int> kept, const Action& action) {
    for (int fd = 0; fd < most_known; ++fd) {
        if (fd % 64 == 0 && word_of(fd) == 0) {
            fd += 63;
            continue;
        }
        const bool is_known = (word_of(fd) & bit_of(fd)) != 0;
        if (is_known && std::find(kept.begin(), kept.end(), fd) == kept.end()) action(fd);
    }
}

} // namespace

void close_server_fds(std::span<const int> kept) {
    for_each_server_fd(kept, [](int fd) {
        remove(fd);
        ::close(fd);
    });
}

void cut_off_server_fds(std::span<const int> kept) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return close_server_fds(kept);
    ::close(ends[1]);
    for_each_server_fd(kept, [&](int fd) { ::dup3(ends[0], fd, O_CLOEXEC); });
    ::close(ends[0]);
}

} // namespace cppcorn

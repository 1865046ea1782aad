#include "workers/handover/log_place.hpp"

#include <algorithm>
#include <climits>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace cppcorn {
namespace {

constexpr int longest_wait_ms = 100;

bool is_same(const struct stat& one, const struct stat& other) {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool is_writable(int fd) {
    pollfd entry{fd, POLLOUT, 0};
    return ::poll(&entry, 1, longest_wait_ms) == 1 && (entry.revents & POLLOUT) != 0;
}

} // namespace

LogPlace::LogPlace(std::string path, int fd) : path_(std::move(path)), is_known_(::fstat(fd, &first_) == 0) {}

bool LogPlace::is(int fd) const {
    struct stat status {};
    if (!is_known_ || ::fstat(fd, &status) != 0) return false;
    if (is_same(status, first_)) return true;
    struct stat named {};
    return !path_.empty() && ::stat(path_.c_str(), &named) == 0 && is_same(status, named);
}

void write_lines(int fd, std::string_view lines) {
    while (!lines.empty() && is_writable(fd)) {
        // So much fits into a pipe that is writable, and stays in one piece among what others write to it.
        std::string_view piece = lines.substr(0, PIPE_BUF);
        if (const auto end = piece.rfind('\n'); end != std::string_view::npos) piece = piece.substr(0, end + 1);
        const ssize_t written = ::write(fd, piece.data(), piece.size());
        if (written <= 0) return;
        lines.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace cppcorn

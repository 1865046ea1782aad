#include "workers/log/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "workers/system_error.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t file_batch = std::size_t{1} << 30; // an appending write to a file is never split up
constexpr int stuck_ms = 100;                            // for a reader of a non-blocking pipe that does not read

std::size_t batch_size_of(int fd) {
    struct stat status {};
    const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? file_batch : PIPE_BUF;
}

// Up to `room` bytes of whole lines, or one line if that is longer.
std::size_t batch_end(std::string_view lines, std::size_t room) {
    if (lines.size() <= room) return lines.size();
    std::size_t end = lines.rfind('\n', room - 1);
    if (end == std::string_view::npos) end = lines.find('\n', room);
    return end == std::string_view::npos ? lines.size() : end + 1;
}

bool wait_for_room(int fd) {
    pollfd waited{fd, POLLOUT, 0};
    return ::poll(&waited, 1, stuck_ms) > 0 && (waited.revents & POLLOUT) != 0;
}

// False if the destination takes no more.
bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (count == 0 || (errno != EINTR && errno != EAGAIN) || (errno == EAGAIN && !wait_for_room(fd))) {
            return false;
        }
    }
    return true;
}

} // namespace

LogFile::LogFile(std::string path, int standard_fd) : path_(std::move(path)), standard_fd_(standard_fd) {
    if (!is_standard()) {
        const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
        file_.reset(check(::open(path_.c_str(), flags, 0644), "cannot open log file " + path_));
    }
    batch_size_ = batch_size_of(fd());
}

void LogFile::write(std::string_view lines) const noexcept {
    const int saved_errno = errno;
    while (!lines.empty()) {
        const std::size_t end = batch_end(lines, batch_size_);
        if (!write_all(fd(), lines.substr(0, end))) break;
        lines.remove_prefix(end);
    }
    errno = saved_errno;
}

} // namespace cppcorn

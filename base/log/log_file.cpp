#include "base/log/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t file_batch = std::size_t{1} << 30; // an appending write to a file is never split up
// For a reader that is slow: in all that time, a process waits no longer than that.
constexpr auto most_patience = milliseconds(100);
constexpr auto patience_period = std::chrono::seconds(10);
constexpr int open_flags = O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr int most_attempts = 10; // somebody else makes and removes the file all the time

// Up to `room` bytes of whole lines, or one line if that is longer.
std::size_t batch_end(std::string_view lines, std::size_t room) {
    if (lines.size() <= room) return lines.size();
    std::size_t end = lines.rfind('\n', room - 1);
    if (end == std::string_view::npos) end = lines.find('\n', room);
    return end == std::string_view::npos ? lines.size() : end + 1;
}

std::uint64_t lines_in(std::string_view text) {
    const auto ends = std::count(text.begin(), text.end(), '\n');
    return static_cast<std::uint64_t>(ends) + (text.empty() || text.back() == '\n' ? 0 : 1);
}

} // namespace

std::optional<int> standard_stream(std::string_view path, int dash) {
    if (path == "-") return dash;
    for (const std::string_view folder : {"/dev/std", "/dev/fd/", "/proc/self/fd/"}) {
        if (path.substr(0, folder.size()) != folder) continue;
        const std::string_view name = path.substr(folder.size());
        if (name == "out" || name == "1") return STDOUT_FILENO;
        if (name == "err" || name == "2") return STDERR_FILENO;
    }
    return std::nullopt;
}

LogFile::LogFile(std::string path, int standard_fd, StandardStream stream, FileGuard guard)
    : path_(std::move(path)),
      standard_fd_(standard_stream(path_, standard_fd).value_or(standard_fd)),
      stream_(stream),
      guard_(guard),
      is_standard_(standard_stream(path_, standard_fd).has_value()) {
    if (!is_standard()) open_path();
    struct stat status {};
    if (::fstat(fd(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
        if (S_ISSOCK(status.st_mode)) manner_ = Manner::socket;
        const bool can_block = S_ISFIFO(status.st_mode) || ::isatty(fd()) == 1;
        if (is_standard() && can_block) look_at_standard();
    }
    batch_size_ = S_ISREG(status.st_mode) ? file_batch : PIPE_BUF;
}

void LogFile::open_path() {
    const std::string what = "cannot open log file " + path_;
    const HeldPath place = hold_path(path_, guard_.links, what);
    const bool is_guarded = guard_.links == Links::roots_only;
    const auto open = [&](int mode) {
        if (is_guarded) return open_guarded(place, mode | open_flags);
        return ::openat(place.directory.get(), place.name.c_str(), mode | open_flags | O_CREAT, 0644);
    };
    own_.reset(open(O_WRONLY));
    // A named pipe that nobody reads yet: with an end for reading of our own, it keeps the lines for who comes.
    if (!own_.is_open() && errno == ENXIO) own_.reset(open(O_RDWR));
    check(own_.get(), what);
    struct stat status {};
    const bool is_file = ::fstat(own_.get(), &status) == 0 && S_ISREG(status.st_mode);
    if (is_guarded && is_file && !is_only_name_of(place.directory.get(), place.name, own_.get())) {
        throw_system_error(what + ", which is a link", EPERM);
    }
}

// What was there already is nobody's to be given away: it may be a file of root's that somebody has moved there.
int LogFile::open_guarded(const HeldPath& place, int flags) const {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        const int present = ::openat(place.directory.get(), place.name.c_str(), flags | O_NOFOLLOW);
        if (present >= 0 || errno != ENOENT) return present;
        const int made =
            ::openat(place.directory.get(), place.name.c_str(), flags | O_NOFOLLOW | O_CREAT | O_EXCL, 0644);
        if (made >= 0) {
            // If it cannot be given, a worker that cannot open it again will say so.
            if (guard_.owner) [[maybe_unused]]
                const int ignored = ::fchown(made, guard_.owner->uid, guard_.owner->gid);
            return made;
        }
        if (errno != EEXIST) return made;
    }
    return -1;
}

// O_NONBLOCK belongs to an open file, which we share with whoever started us and with the app: so it takes an open
// file of our own. There is none for us where the pipe is another user's, or /proc is missing.
void LogFile::look_at_standard() {
    manner_ = Manner::shared_pipe;
    if (stream_ == StandardStream::moves) return;
    const std::string link = "/proc/self/fd/" + std::to_string(standard_fd_);
    own_.reset(::open(link.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (own_.is_open()) manner_ = Manner::plain;
}

void LogFile::reopen() {
    become(LogFile(path_, standard_fd_, stream_, guard_));
}

void LogFile::become(LogFile other) {
    if (is_same_stream(other)) return;
    if (path_ == other.path_) other.loss_ = loss_;
    *this = std::move(other);
}

LogNews LogFile::write(std::string_view lines) noexcept {
    const int saved_errno = errno;
    int error = 0;
    while (!lines.empty()) {
        const std::size_t end = batch_end(lines, batch_size_);
        if ((torn_ && !put_all("\n")) || !put_all(lines.substr(0, end))) {
            error = errno;
            break;
        }
        lines.remove_prefix(end);
    }
    LogNews news;
    if (!lines.empty() || loss_.any()) news = loss_.note(lines_in(lines), error, SteadyClock::now());
    errno = saved_errno;
    return news;
}

// False if the destination takes no more, with the reason in errno.
bool LogFile::put_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = put(bytes);
        if (count > 0) {
            torn_ = bytes[static_cast<std::size_t>(count) - 1] != '\n';
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (count == 0) {
            errno = ENOSPC;
            return false;
        } else if (errno != EINTR && (errno != EAGAIN || !wait_for_room())) {
            return false;
        }
    }
    return true;
}

// As write(2).
ssize_t LogFile::put(std::string_view bytes) const {
    switch (manner_) {
        case Manner::socket:
            return ::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        case Manner::shared_pipe:
            return put_to_shared_pipe(bytes);
        case Manner::plain:
            break;
    }
    return ::write(fd(), bytes.data(), bytes.size());
}

ssize_t LogFile::put_to_shared_pipe(std::string_view bytes) const {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const ssize_t count = ::pwritev2(fd(), &part, 1, -1, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS)) return count;
    // An older kernel. What has room takes a whole batch, if no other process is quicker.
    pollfd waited{fd(), POLLOUT, 0};
    if (::poll(&waited, 1, 0) > 0) return ::write(fd(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    errno = EAGAIN;
    return -1;
}

// False, with EAGAIN in errno, if there is none in time.
bool LogFile::wait_for_room() {
    const auto began = SteadyClock::now();
    if (began >= patience_again_) {
        patience_ = most_patience;
        patience_again_ = began + patience_period;
    }
    pollfd waited{fd(), POLLOUT, 0};
    const bool patient = !loss_.any() && patience_.count() > 0;
    const bool room = patient && ::poll(&waited, 1, static_cast<int>(patience_.count())) > 0;
    if (patient) patience_ -= std::min(patience_, std::chrono::ceil<milliseconds>(SteadyClock::now() - began));
    errno = EAGAIN;
    return room;
}

} // namespace cppcorn

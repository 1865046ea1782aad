// One append-only destination of log lines: a file, or the standard output or error that the process was given. No
// write to it ever blocks: a log whose reader has stopped must not stop the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/held_path.hpp"
#include "base/log/log_loss.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

// What the process does with a standard stream later: `moves` if another file may take its place (--daemon,
// --capture-output), so that nothing may be opened that outlives the change.
enum class StandardStream { stays, moves };

// The standard stream that a log's path means: 1 or 2, `dash` for "-"; nullopt for a file. A name such as /dev/stderr is
// the descriptor that the process was given; opening it anew would need the rights of whoever opened it first.
std::optional<int> standard_stream(std::string_view path, int dash);

// Move-only; owns the descriptor of a file, never a standard one. A fork carries it over: all processes append to one
// file.
class LogFile {
  public:
    // `path` "-" stands for `standard_fd`, /dev/stdout and /dev/stderr for 1 and 2. Creates the file if need be. Throws
    // std::system_error.
    // With a guard, for a process that is more than the workers it starts, a link is refused, as whoever owns the
    // directory could lead it to any file; and a file that it makes is given to the workers' user, for them to reopen.
    LogFile(std::string path, int standard_fd, StandardStream stream = StandardStream::stays, FileGuard guard = {});

    const std::string& path() const { return path_; }
    bool is_standard() const { return is_standard_; }
    bool goes_to(int standard_fd) const { return is_standard_ && standard_fd_ == standard_fd; }
    // What a signal handler may write to. Non-blocking wherever that was possible.
    int fd() const { return own_.is_open() ? own_.get() : standard_fd_; }

    // Whether both lead to the same place.
    bool is_same(const LogFile& other) const { return device_ == other.device_ && inode_ == other.inode_; }
    bool is_same_stream(const LogFile& other) const {
        return is_standard() && other.is_standard() && standard_fd_ == other.standard_fd_ && is_same(other);
    }

    // Opens the same destination again. Throws std::system_error; the old one stays then.
    void reopen();
    // Takes the other's place. The stream that it is already stays as it is: a process that has become another user
    // may not be able to open it any more.
    void become(LogFile other);

    // Writes whole lines, with a write(2) each time it can: one for all of them, but where processes share a pipe, one
    // for as many as the system keeps together. What cannot be written (full disk, reader gone or stopped) is dropped.
    // Tells what the caller should tell others. SIGPIPE has to be ignored.
    LogNews write(std::string_view lines) noexcept;

  private:
    enum class Manner { plain, socket, shared_pipe };

    void open_path();
    int open_guarded(const HeldPath& place, int flags) const;
    void look_at_standard();
    ssize_t put(std::string_view bytes) const;
    ssize_t put_to_shared_pipe(std::string_view bytes) const;
    bool put_all(std::string_view bytes);
    bool wait_for_room();

    std::string path_;
    int standard_fd_;
    StandardStream stream_;
    FileGuard guard_;
    bool is_standard_;
    ServerFd own_; // of a file; or of a standard pipe or terminal, opened once more for ourselves
    Manner manner_ = Manner::plain;
    std::size_t batch_size_ = 0; // bytes that a write takes without another process's lines among them
    dev_t device_ = 0;
    ino_t inode_ = 0;

    LogLoss loss_;
    bool torn_ = false; // the last line that was written lacks its end
    std::chrono::milliseconds patience_{0};
    SteadyTime patience_again_{};
};

} // namespace cppcorn

// One append-only destination of log lines: a file, or the standard output or error that the process was given.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "workers/unique_fd.hpp"

namespace cppcorn {

// Move-only; owns the descriptor of a file, never a standard one. A fork carries it over: all processes append to one
// file.
class LogFile {
  public:
    // `path` "-" stands for `standard_fd`. Creates the file if need be. Throws std::system_error.
    LogFile(std::string path, int standard_fd);

    // To open the same destination again, assign LogFile(path(), standard_fd()): the old one stays if that throws.
    const std::string& path() const { return path_; }
    int standard_fd() const { return standard_fd_; }
    bool is_standard() const { return path_ == "-"; }
    int fd() const { return is_standard() ? standard_fd_ : file_.get(); }

    // Writes whole lines, with a write(2) each time it can: one for all of them, but where processes share a pipe, one
    // for as many as the system keeps together. What cannot be written (full disk, reader gone or stuck) is dropped: a
    // log must not stop the server. SIGPIPE has to be ignored.
    void write(std::string_view lines) const noexcept;

  private:
    std::string path_;
    int standard_fd_;
    UniqueFd file_;
    std::size_t batch_size_; // bytes that a write takes without another process's lines among them
};

} // namespace cppcorn

// Which file a worker's access log is, as its understudy knows it by itself: what the worker says of it in the memory
// that they share may be wrong.
#pragma once

#include <string>
#include <string_view>

#include <sys/stat.h>

namespace cppcorn {

class LogPlace {
  public:
    // There is none.
    LogPlace() = default;
    // It has been opened, as `fd`. `path`: empty for a standard stream.
    LogPlace(std::string path, int fd);

    // True if `fd` is that file, or the one that has its name by now. Async-signal-safe.
    bool is(int fd) const;

  private:
    std::string path_;
    bool is_known_ = false;
    struct stat first_ {};
};

// Writes whole lines, as many as go without waiting for a reader for long. Async-signal-safe.
void write_lines(int fd, std::string_view lines);

} // namespace cppcorn

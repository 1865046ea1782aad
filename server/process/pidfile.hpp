// The file that holds the master's pid. Written whole or not at all; removed only while it is still ours.
#pragma once

#include <memory>
#include <string>

namespace cppcorn {

class Pidfile {
  public:
    // Throws std::runtime_error if a live process holds it, std::system_error if it cannot be written. A stale or
    // unreadable one is replaced.
    explicit Pidfile(const std::string& path);
    ~Pidfile();
    Pidfile(const Pidfile&) = delete;
    Pidfile& operator=(const Pidfile&) = delete;

    const std::string& path() const { return path_; } // absolute: a reload may change the directory

  private:
    std::string path_;
};

// A reload may name another path, or none (""). The old file stays if the new one cannot be written, which is logged.
void move_pidfile(std::unique_ptr<Pidfile>& file, const std::string& path);

} // namespace cppcorn

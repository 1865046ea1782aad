// The file that holds the master's pid. Written whole or not at all; removed only while it is still ours. Whose it is, a
// lock on it says (flock), which ends with the process that holds it: the pid in it may be another program's by now.
#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "base/held_path.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

class Pidfile {
  public:
    // Throws std::runtime_error if another process holds it, std::system_error if it cannot be written. One that nobody
    // holds is replaced, whatever is in it.
    explicit Pidfile(const std::string& path, Links links = Links::followed);
    ~Pidfile();
    Pidfile(const Pidfile&) = delete;
    Pidfile& operator=(const Pidfile&) = delete;

    const std::string& path() const { return path_; } // absolute: a reload may change the directory

    // Somebody has removed it, perhaps with its directory.
    bool is_gone() const;

  private:
    UniqueFd hold_present(bool& is_there) const;
    bool put_in_place(const std::string& temporary, bool is_there) const;

    std::string path_;
    ServerFd directory_;
    std::string name_;
    ServerFd file_; // holds the lock; no child keeps it
};

// A reload may name another path, or none (""), and restores one that is gone. The old file stays if the new one cannot
// be written, which is logged.
void move_pidfile(std::unique_ptr<Pidfile>& file, const std::string& path, Links links);

// Removes the pidfile of a master that has crashed: one that nobody holds, and that names a process that has ended. That
// it cannot be removed does not matter.
void remove_left_over_pidfile(const std::string& path, Links links);

} // namespace cppcorn

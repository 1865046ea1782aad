// Tells when files have changed (inotify): written, replaced, made or moved there. For --reload.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workers/unique_fd.hpp"

namespace cppcorn {

class FileWatch {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // Absolute paths; of a symbolic link, both it and what it leads to are watched. A folder that is not there (yet) is
    // tried again each second. Throws std::system_error if the kernel watches nothing.
    FileWatch(std::vector<std::string> paths, Time now);

    const std::vector<std::string>& paths() const { return paths_; }

    // Readable when there is something for take_changes(). For poll.
    int fd() const { return inotify_.get(); }
    // Reads what the kernel has told.
    void take_changes(Time now);

    // When changed() or a new try is due if nothing else happens; Time::max() for never.
    Time due() const;
    // The path that has changed and then been left alone for a moment, so that a linker or a copy may finish; each
    // change is told once.
    std::optional<std::string> changed(Time now);

  private:
    void watch_folders(Time now);
    void forget(int watch, Time now);
    void note(const std::string& path, Time now);

    std::vector<std::string> paths_;
    UniqueFd inotify_;
    std::map<int, std::string> folders_; // by inotify's number
    std::map<std::string, std::string> watched_; // a file that is looked at, and the path that it stands for
    std::string changed_;
    Time settled_at_ = Time::max();
    Time try_again_at_ = Time::max();
};

} // namespace cppcorn

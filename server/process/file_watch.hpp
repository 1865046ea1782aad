// Tells when files have changed: written, replaced, made or moved there (inotify). For --reload.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

class FileWatch {
  public:
    // Absolute paths; of a symbolic link, both it and what it leads to are watched. Throws std::system_error if the
    // kernel watches nothing.
    FileWatch(std::vector<std::string> paths, SteadyTime now);

    const std::vector<std::string>& paths() const { return paths_; }

    // Readable when there is something for take_changes(). For poll.
    int fd() const { return inotify_.get(); }
    // Reads what the kernel has told.
    void take_changes(SteadyTime now);

    // When changed() is due if nothing else happens.
    SteadyTime due() const;
    // A path that has changed and then been left alone for a moment, so that a linker or a copy may finish; each change
    // is told once.
    std::optional<std::string> changed(SteadyTime now);

  private:
    using Place = std::pair<int, std::string>; // inotify's number of the directory, and the name in it

    std::map<Place, std::string> find_places();
    void note(const std::string& path, SteadyTime now);

    std::vector<std::string> paths_;
    ServerFd inotify_;
    std::map<Place, std::string> places_; // and the path that is meant
    std::set<std::string> changed_;
    SteadyTime settled_at_ = SteadyTime::max();
    SteadyTime look_again_at_;
};

} // namespace cppcorn

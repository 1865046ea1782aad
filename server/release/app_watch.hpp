// --reload: whether the app's file, or one of --reload-extra-file, has changed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "server/process/file_watch.hpp"
#include "server/release/release.hpp"

namespace cppcorn {

class AppWatch {
  public:
    // Watches what that release's settings ask for, which may be nothing. Logs an error where that cannot be done; then
    // what was watched before still is.
    void follow(const Release& release, SteadyTime now);
    void stop() { files_.reset(); }

    // Readable when there is something for take_changes(); -1 if nothing is watched. For poll.
    int fd() const { return files_ ? files_->fd() : -1; }
    void take_changes(SteadyTime now) { files_->take_changes(now); }

    // When changed() is due if nothing else happens; SteadyTime::max() for never.
    SteadyTime due() const { return files_ ? files_->due() : SteadyTime::max(); }
    // A file that has changed and been left alone since. Each change is told once.
    std::optional<std::string> changed(SteadyTime now) { return files_ ? files_->changed(now) : std::nullopt; }

  private:
    std::unique_ptr<FileWatch> files_;
};

} // namespace cppcorn

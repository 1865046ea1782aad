#include "server/file_watch.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include <sys/inotify.h>
#include <unistd.h>

#include "workers/system_error.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto quiet_time = 300ms;  // after the last write
constexpr auto retry_pause = 1000ms; // for a folder that is not there
constexpr std::uint32_t file_events = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO;
constexpr std::uint32_t folder_events = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

} // namespace

FileWatch::FileWatch(std::vector<std::string> paths, Time now)
    : paths_(std::move(paths)),
      inotify_(check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "cannot watch files for --reload")) {
    watch_folders(now);
}

// Folders rather than files: a linker removes the old file and makes a new one.
void FileWatch::watch_folders(Time now) {
    try_again_at_ = Time::max();
    watched_.clear();
    for (const auto& path : paths_) {
        watched_[path] = path;
        std::error_code error;
        const fs::path target = fs::canonical(path, error);
        if (!error) watched_[target.string()] = path;
    }
    for (const auto& [file, path] : watched_) {
        const std::string folder = fs::path(file).parent_path().string();
        const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), file_events | folder_events);
        if (watch >= 0) {
            folders_[watch] = folder;
        } else {
            try_again_at_ = now + retry_pause;
        }
    }
}

void FileWatch::take_changes(Time now) {
    alignas(inotify_event) char bytes[4096];
    for (ssize_t size; (size = ::read(inotify_.get(), bytes, sizeof bytes)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(bytes + at);
            at += static_cast<ssize_t>(sizeof event + event.len);
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                note(paths_.front(), now);
            } else if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
                forget(event.wd, now);
            } else if (event.len > 0 && folders_.count(event.wd) != 0) {
                const auto file = watched_.find((fs::path(folders_[event.wd]) / event.name).string());
                if (file != watched_.end()) note(file->second, now);
            }
        }
    }
}

// The folder is gone: a build that starts from nothing, say. What comes in its place is a change.
void FileWatch::forget(int watch, Time now) {
    if (folders_.erase(watch) == 0) return;
    ::inotify_rm_watch(inotify_.get(), watch);
    try_again_at_ = now;
    note(paths_.front(), now);
}

void FileWatch::note(const std::string& path, Time now) {
    changed_ = path;
    settled_at_ = now + quiet_time;
}

FileWatch::Time FileWatch::due() const {
    return std::min(settled_at_, try_again_at_);
}

std::optional<std::string> FileWatch::changed(Time now) {
    if (now >= try_again_at_) {
        const std::size_t before = folders_.size();
        watch_folders(now);
        if (folders_.size() > before) note(paths_.front(), now);
    }
    if (now < settled_at_) return {};
    settled_at_ = Time::max();
    watch_folders(now); // a link may lead elsewhere now
    std::error_code error;
    // One that is gone is about to be made, or nothing that a reload could use.
    if (!fs::exists(changed_, error)) return {};
    return changed_;
}

} // namespace cppcorn

#include "server/process/file_watch.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include <sys/inotify.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto quiet_time = 300ms; // after the last write
// The kernel does not tell that a directory was removed while a worker still has a file of it mapped, or that a link on
// the way there leads elsewhere now.
constexpr auto look_again = 1000ms;
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

} // namespace

FileWatch::FileWatch(std::vector<std::string> paths, SteadyTime now)
    : paths_(std::move(paths)),
      inotify_(check(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "cannot watch files for --reload")),
      places_(find_places()),
      look_again_at_(now + look_again) {}

// Directories are watched rather than files: a linker removes the old file and makes a new one. A directory that is
// watched already keeps its number.
std::map<FileWatch::Place, std::string> FileWatch::find_places() {
    std::map<Place, std::string> places;
    for (const auto& path : paths_) {
        std::error_code error;
        for (const fs::path& file : {fs::path(path), fs::canonical(path, error)}) {
            const int directory = ::inotify_add_watch(inotify_.get(), file.parent_path().c_str(), events);
            if (directory >= 0) places[{directory, file.filename().string()}] = path;
        }
    }
    return places;
}

void FileWatch::take_changes(SteadyTime now) {
    alignas(inotify_event) char bytes[4096];
    for (ssize_t size; (size = ::read(inotify_.get(), bytes, sizeof bytes)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(bytes + at);
            at += static_cast<ssize_t>(sizeof event + event.len);
            const auto place = places_.find({event.wd, event.len > 0 ? event.name : ""});
            if (place != places_.end()) note(place->second, now);
            if ((event.mask & IN_Q_OVERFLOW) != 0) note(paths_.back(), now);
        }
    }
}

void FileWatch::note(const std::string& path, SteadyTime now) {
    changed_.insert(path);
    settled_at_ = now + quiet_time;
}

SteadyTime FileWatch::due() const {
    return std::min(settled_at_, look_again_at_);
}

std::optional<std::string> FileWatch::changed(SteadyTime now) {
    if (now >= look_again_at_) {
        look_again_at_ = now + look_again;
        auto places = find_places();
        for (const auto& [place, path] : places) {
            if (places_.count(place) == 0) note(path, now);
        }
        places_ = std::move(places);
    }
    if (now < settled_at_) return {};
    settled_at_ = SteadyTime::max();
    // One that is gone is about to be made, or nothing that a reload could use.
    std::optional<std::string> present;
    std::error_code error;
    for (const auto& path : std::exchange(changed_, {})) {
        if (fs::exists(path, error)) present = path;
    }
    return present;
}

} // namespace cppcorn

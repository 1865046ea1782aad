#include "server/post_mortem/known_crashes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "server/post_mortem/crash_text.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t most_known = 64;
constexpr std::size_t compared_frames = 24;
constexpr auto told_again_after = std::chrono::hours(1);

// By the build rather than by the path: the same library may be loaded from another copy.
std::string frame_key(const CrashRecord& crash, std::size_t frame) {
    const int number = crash.frames[frame].module;
    if (number < 0) return crash_location(crash, frame);
    const CrashModule& module = crash.modules[number];
    const std::string id = build_id_text(module);
    return fmt::format("{}+{:x}", id.empty() ? module.path : id, crash.frames[frame].address - module.base);
}

} // namespace

std::string crash_key(const Death& death) {
    const CrashRecord& crash = death.crash;
    std::vector<std::string> frames;
    for (std::size_t i = 0; i < crash.frame_count && frames.size() < compared_frames; ++i) {
        if (is_app_frame(crash, i)) frames.push_back(frame_key(crash, i));
    }
    for (std::size_t i = 0; frames.empty() && i < crash.frame_count && i < compared_frames; ++i) {
        frames.push_back(frame_key(crash, i));
    }
    // Where in a loop it was when its time was over, or which call was one too many, is chance.
    const bool was_told_to_end = crash.sender == ::getpid();
    if ((was_told_to_end || crash.is_stack_overflow) && frames.size() > 1) frames.erase(frames.begin());
    if (crash.is_stack_overflow) {
        std::sort(frames.begin(), frames.end());
        frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
    }
    return fmt::format("{} {} {} {}", death.signal, crash.signal, death.crash.version == 0 ? death.place : "",
                       fmt::join(frames, " "));
}

std::optional<KnownCrashes::Repeat> KnownCrashes::note(const Death& death, SteadyTime now) {
    const std::string key = crash_key(death);
    const auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& each) { return each.key == key; });
    if (found != known_.end() && now - found->told_at < told_again_after) {
        return Repeat{found->first_pid, ++found->count};
    }
    if (found != known_.end()) known_.erase(found);
    if (known_.size() == most_known) known_.erase(known_.begin());
    known_.push_back({key, death.pid, 1, now});
    return std::nullopt;
}

} // namespace cppcorn

#include "workers/context/recycling.hpp"

#include <charconv>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

std::uint64_t requests_limit(const WorkerSettings& settings, std::uint64_t dice) {
    if (settings.max_requests == 0) return std::numeric_limits<std::uint64_t>::max();
    return settings.max_requests + dice % (settings.max_requests_jitter + 1);
}

} // namespace

Recycling::Recycling(const WorkerSettings& settings, SteadyTime started, std::uint64_t dice)
    : most_requests_(requests_limit(settings, dice)),
      most_memory_(settings.max_memory),
      end_of_life_(settings.max_worker_lifetime.count() > 0 ? started + settings.max_worker_lifetime
                                                            : SteadyTime::max()) {}

std::optional<std::string_view> Recycling::find_reason(std::uint64_t requests, SteadyTime now) {
    std::optional<std::string_view> reason;
    if (requests >= most_requests_) {
        reason = "it has served --max-requests";
    } else if (most_memory_ > 0 && resident_memory() > most_memory_) {
        reason = "its memory is above --max-memory";
    } else if (now >= end_of_life_) {
        reason = "it has lived --max-worker-lifetime";
    }
    given_ = reason.has_value();
    return reason;
}

std::uint64_t resident_memory() {
    const UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    char text[128];
    const auto size = file.is_open() ? ::read(file.get(), text, sizeof text) : -1;
    if (size <= 0) return 0;
    const std::string_view line(text, static_cast<std::size_t>(size));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return 0;
    std::uint64_t pages = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace cppcorn

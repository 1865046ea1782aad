#include "server/supervision/oom_kills.hpp"

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace cppcorn {
namespace {

constexpr auto shortly = std::chrono::seconds(5);

// "oom_kill 3", on a line of its own.
std::optional<std::uint64_t> read_count(const std::string& path) {
    std::ifstream file(path);
    std::string name;
    std::uint64_t value = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        if (words >> name >> value && name == "oom_kill") return value;
    }
    return std::nullopt;
}

// The files that may have the count, the most particular first. A line of /proc/self/cgroup is "4:memory:/path" in
// version 1, and "0::/path" in version 2.
std::vector<std::string> counters(const std::string& root) {
    std::vector<std::string> files;
    std::ifstream groups(root + "/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string kind = line.substr(first + 1, second - first - 1);
        const std::string group = line.substr(second + 1);
        // In a container the path may be one of outside, and the group is what is mounted.
        for (const std::string& at : {group, std::string()}) {
            if (kind == "memory") files.push_back(root + "/sys/fs/cgroup/memory" + at + "/memory.oom_control");
            if (kind.empty()) files.push_back(root + "/sys/fs/cgroup" + at + "/memory.events");
        }
    }
    files.push_back(root + "/proc/vmstat");
    return files;
}

} // namespace

OomKills::OomKills(const std::string& root) {
    for (const std::string& file : counters(root)) {
        count_ = read_count(file);
        if (!count_) continue;
        counter_ = file;
        return;
    }
}

OomKills::Answer OomKills::recent(SteadyTime now) {
    if (!count_) return Answer::unknown;
    const auto count = read_count(counter_);
    if (!count) return Answer::unknown; // this time
    if (std::exchange(count_, count) != count) grown_at_ = now;
    return grown_at_ && now - *grown_at_ < shortly ? Answer::yes : Answer::no;
}

} // namespace cppcorn

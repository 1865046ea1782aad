#include "server/settings/cpu_count.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <sched.h>
#include <unistd.h>

namespace cppcorn {
namespace {

constexpr std::int64_t memory_per_worker = 64 * 1024 * 1024;

// Nothing for "max" and for what is no number.
std::optional<std::int64_t> read_number(std::istream& stream) {
    std::int64_t number = 0;
    if (!(stream >> number)) return {};
    return number;
}

std::optional<std::int64_t> cpus_of(const CgroupFiles& files) {
    const bool is_v2 = !files.cpu_max.empty();
    std::istringstream text(is_v2 ? files.cpu_max : files.cpu_quota + " " + files.cpu_period);
    const auto quota = read_number(text);
    if (!quota || *quota <= 0) return {};
    const auto period = read_number(text);
    if (!period || *period <= 0) return {};
    return *quota / *period + (*quota % *period != 0);
}

std::optional<std::int64_t> workers_in_memory_of(const CgroupFiles& files) {
    std::istringstream text(files.memory_max.empty() ? files.memory_limit : files.memory_max);
    const auto limit = read_number(text);
    if (!limit) return {};
    return *limit / memory_per_worker;
}

int available_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    // Fails where the machine has more cores than the set has room for.
    return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

CgroupFiles read_cgroup_files(const std::string& directory) {
    return {read_text(directory + "/cpu.max"), read_text(directory + "/cpu.cfs_quota_us"),
            read_text(directory + "/cpu.cfs_period_us"), read_text(directory + "/memory.max"),
            read_text(directory + "/memory.limit_in_bytes")};
}

// Inside a container, the path can be one of the host that is not mounted here; the mount's top then holds the limits.
void add_directory_and_parents(std::vector<std::string>& directories, const std::string& mount, std::string path) {
    while (path.size() > 1) {
        directories.push_back(mount + path);
        path.erase(path.rfind('/'));
    }
    directories.push_back(mount);
}

} // namespace

int count_auto_workers(int cores, const std::vector<CgroupFiles>& groups) {
    std::int64_t count = cores;
    for (const auto& group : groups) {
        count = std::min({count, cpus_of(group).value_or(count), workers_in_memory_of(group).value_or(count)});
    }
    return static_cast<int>(std::clamp<std::int64_t>(count, 1, most_workers));
}

std::vector<std::string> cgroup_directories(std::string_view proc_cgroup) {
    std::vector<std::string> directories;
    std::istringstream lines{std::string(proc_cgroup)};
    // Each line is "ID:CONTROLLERS:PATH"; version 2 has no controllers there.
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos || line[second + 1] != '/') continue;
        const std::string path = line.substr(second + 1);
        if (path.find("/..") != std::string::npos) continue;
        std::istringstream controllers(line.substr(first + 1, second - first - 1));
        if (second == first + 1) add_directory_and_parents(directories, "/sys/fs/cgroup", path);
        for (std::string controller; std::getline(controllers, controller, ',');) {
            if (controller == "cpu" || controller == "memory") {
                add_directory_and_parents(directories, "/sys/fs/cgroup/" + controller, path);
            }
        }
    }
    return directories;
}

int auto_worker_count() {
    std::vector<CgroupFiles> groups;
    for (const auto& directory : cgroup_directories(read_text("/proc/self/cgroup")))
        groups.push_back(read_cgroup_files(directory));
    return count_auto_workers(available_cores(), groups);
}

} // namespace cppcorn

// How many workers `--workers auto` means on this machine, in this container.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

inline constexpr int most_workers = 500; // whoever asks for them: settings, TTIN or an order

// The limit files of one control group, as read; empty where a file is missing.
struct CgroupFiles {
    std::string cpu_max;      // version 2, cpu.max: "150000 100000" or "max 100000"
    std::string cpu_quota;    // version 1, cpu.cfs_quota_us: "150000" or "-1"
    std::string cpu_period;   // version 1, cpu.cfs_period_us: "100000"
    std::string memory_max;   // version 2, memory.max: "536870912" or "max"
    std::string memory_limit; // version 1, memory.limit_in_bytes
};

// One worker a core, but no more than the tightest group's CPU quota (rounded up) and one for each 64 MiB of its memory
// limit. At least 1, at most most_workers.
int count_auto_workers(int cores, const std::vector<CgroupFiles>& groups);

// The directories that hold the limits of the process whose /proc/PID/cgroup is given: its own groups and all above
// them.
std::vector<std::string> cgroup_directories(std::string_view proc_cgroup);

// count_auto_workers() for this process.
int auto_worker_count();

} // namespace cppcorn

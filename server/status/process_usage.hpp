// What a process uses, by /proc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace cppcorn {

struct ProcessUsage {
    std::uint64_t resident_bytes = 0;
    double cpu_seconds = 0;
};

// nullopt if it is gone, or /proc does not say. Does not wait for the process, stopped or not.
std::optional<ProcessUsage> usage_of(pid_t pid);

// Out of the text of /proc/PID/stat; nullopt for anything else.
std::optional<ProcessUsage> parse_usage(std::string_view stat);

} // namespace cppcorn

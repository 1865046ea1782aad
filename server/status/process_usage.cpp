#include "server/status/process_usage.hpp"

#include <array>
#include <charconv>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {

std::optional<ProcessUsage> usage_of(pid_t pid) {
    const UniqueFd file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return std::nullopt;
    std::array<char, 1024> text;
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    return size <= 0 ? std::nullopt : parse_usage({text.data(), static_cast<std::size_t>(size)});
}

// The name, in parentheses, may have any character in it.
std::optional<ProcessUsage> parse_usage(std::string_view stat) {
    constexpr int user_time = 14; // as proc(5) counts
    constexpr int system_time = 15;
    constexpr int resident_pages = 24;
    const auto name_end = stat.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    std::string_view rest = stat.substr(name_end + 1);
    std::uint64_t ticks = 0;
    ProcessUsage usage;
    for (int number = 3; number <= resident_pages; ++number) {
        if (rest.empty() || rest.front() != ' ') return std::nullopt;
        rest.remove_prefix(1);
        const std::string_view field = rest.substr(0, rest.find_first_of(" \n"));
        rest.remove_prefix(field.size());
        std::uint64_t value = 0;
        const bool is_wanted = number == user_time || number == system_time || number == resident_pages;
        if (!is_wanted) continue;
        if (std::from_chars(field.data(), field.data() + field.size(), value).ec != std::errc{}) return std::nullopt;
        if (number == resident_pages)
            usage.resident_bytes = value * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        if (number != resident_pages) ticks += value;
    }
    usage.cpu_seconds = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return usage;
}

} // namespace cppcorn

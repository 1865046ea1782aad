// How grave a line of the error log is: one table of the levels and their names.
#pragma once

#include <string>
#include <vector>

#include <spdlog/common.h>

namespace cppcorn {

enum class LogLevel { debug, info, warning, error, critical };

struct LogLevelRow {
    LogLevel level;
    const char* name;  // in --log-level
    const char* title; // in a line of the log
    spdlog::level::level_enum spdlog_level;
};

// In the order of the enumeration.
inline constexpr LogLevelRow log_levels[] = {
    {LogLevel::debug, "debug", "DEBUG", spdlog::level::debug},
    {LogLevel::info, "info", "INFO", spdlog::level::info},
    {LogLevel::warning, "warning", "WARNING", spdlog::level::warn},
    {LogLevel::error, "error", "ERROR", spdlog::level::err},
    {LogLevel::critical, "critical", "CRITICAL", spdlog::level::critical},
};

constexpr const LogLevelRow& row_of(LogLevel level) {
    return log_levels[static_cast<int>(level)];
}
static_assert(row_of(LogLevel::debug).level == LogLevel::debug && row_of(LogLevel::info).level == LogLevel::info &&
              row_of(LogLevel::warning).level == LogLevel::warning &&
              row_of(LogLevel::error).level == LogLevel::error &&
              row_of(LogLevel::critical).level == LogLevel::critical);

// Of the level that a logged line has.
constexpr const LogLevelRow& row_of(spdlog::level::level_enum level) {
    for (const auto& row : log_levels) {
        if (row.spdlog_level == level) return row;
    }
    return row_of(level < spdlog::level::debug ? LogLevel::debug : LogLevel::critical);
}

inline std::vector<std::string> log_level_names() {
    std::vector<std::string> names;
    for (const auto& row : log_levels) names.emplace_back(row.name);
    return names;
}

} // namespace cppcorn

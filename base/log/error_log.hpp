// The error log: one spdlog logger, used through spdlog's own functions (spdlog::info, spdlog::error…) everywhere else.
// Its lines look as gunicorn's do: [2026-11-23 00:05:43 +0000] [PID] [INFO] text. Each line is flushed when it is
// written, so that a fork finds nothing in a buffer and a crash loses nothing.
#pragma once

#include <string>
#include <string_view>

#include "server/settings/settings.hpp"

namespace cppcorn {

// Opens what the settings name ("-" is stderr, else a file, and syslog if asked for) and makes it spdlog's default
// logger. Called again, it opens anew and swaps; if the new one cannot be opened it throws std::system_error and the
// old one stays.
void open_error_log(const Settings& settings);

// USR1: the same destinations again, for a file that was moved away. Logs an error and keeps the old ones where that
// fails.
void reopen_error_log(const Settings& settings);

// The descriptor that a signal handler may write to when a process crashes: the log file's, or 2.
int error_log_fd();

// `text` with each byte outside printable ASCII, and each `"` and `\`, written as \xHH, \" or \\. What a client or an
// app wrote never goes to a log another way.
std::string escaped(std::string_view text);

} // namespace cppcorn

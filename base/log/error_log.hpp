// The error log: one spdlog logger, used through spdlog's own functions (spdlog::info, spdlog::error…) everywhere else.
// Its lines look as gunicorn's do: [2026-11-23 00:05:43 +0000] [PID] [INFO] text; or each is a JSON object. Those about
// a request name its id (base/log/logged_request.hpp). Each line is written at once, so that a fork finds nothing in a
// buffer and a crash loses nothing.
#pragma once

#include <string>

#include "base/counter.hpp"
#include "base/held_path.hpp"
#include "base/log/line_formatter.hpp"
#include "base/log/log_level.hpp"

namespace cppcorn {

struct ErrorLogOptions {
    std::string path = "-"; // "-" and /dev/stderr: stderr; /dev/stdout
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    bool capture_output = false; // stdout and stderr of the process go to the log as well
    bool syslog = false;
    std::string syslog_prefix; // of the tag; empty: the program's name
    std::string syslog_facility = "user";
    std::string syslog_to = "unix:///dev/log";
    std::string program; // what the process is called, for syslog
    FileGuard guard;     // for a process that is more than those it starts (base/log/log_file.hpp)

    bool goes_to_stderr() const;
};

// Opens what the options name and makes it spdlog's default logger. Called again, it opens anew and swaps; if the new
// one cannot be opened it throws std::system_error and the old one stays. Once in a process before any thread logs;
// later calls may come while other threads log.
void open_error_log(const ErrorLogOptions& options);

// The same, but where the new one cannot be opened, the old one stays, and an error is logged there and on stderr: the old
// one may be a file that nobody can find any more.
void change_error_log(const ErrorLogOptions& options);

// Until the log is opened or reopened, lines of that level and above are written.
void change_log_level(LogLevel level);

// The same destinations as at the last opening, for a file that was moved away (SIGUSR1).
void reopen_error_log();

// Lines of the error log by their level, in memory that processes share. Any of them writes.
struct LogLineCounts {
    Counter warnings;
    Counter errors;
    Counter criticals;
};
// From now on, the lines of this process and of those that it forks are counted there. Null: nowhere.
void count_log_lines(LogLineCounts* counts);

// The descriptor that a signal handler may write to when a process crashes: the log file's, or 2.
int error_log_fd();

} // namespace cppcorn

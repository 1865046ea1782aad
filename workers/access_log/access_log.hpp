// The access log: one line a request, in gunicorn's format language, or the ready formats `json` and `logfmt`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/held_path.hpp"
#include "workers/http/request_head.hpp"

namespace cppcorn {

class AccessFormat;
class LogFile;

struct AccessLogOptions {
    std::string path; // empty: none; "-" and /dev/stdout: stdout; /dev/stderr
    std::string format = R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s")";
    FileGuard guard;          // for a process that is more than those it starts (base/log/log_file.hpp)
    bool stdout_stays = true; // nothing else takes stdout's place later
};

// What one line can tell. Views; read during write() only.
struct AccessRecord {
    std::string_view remote_address;         // "" on a unix socket
    const http::RequestHead* head = nullptr; // null where none was read completely
    std::string_view request_id;             // "" where there is none
    std::string_view request_line;           // as sent; what there was of it for a request that was refused
    int status = 0;
    std::uint64_t body_size = 0;                  // bytes of the response's body
    std::span<const http::Field> response_fields; // as the app gave them; filled only if wants_response_fields()
    std::chrono::system_clock::time_point started;
    std::chrono::nanoseconds duration{0};
    std::optional<std::chrono::microseconds> queue_time; // before that, where a proxy tells
    bool cut = false;                                    // the client has not got all of it
};

// The lines that an access log has gathered, in memory that outlives its process: a copy of them.
struct LogShadow {
    char* lines = nullptr; // room for LogShadow::room; null: there is no shadow
    std::uint32_t offset = 0;
    std::atomic<std::uint64_t>* range = nullptr; // offset << 32 | bytes that are there; 0: none
    std::atomic<int>* fd = nullptr;              // where to, + 1

    static constexpr std::size_t room = std::size_t{80} << 10;
};

// Lines are gathered here and written many at a time by a file of its own: a logger formats and locks for each line,
// and this is the hot path of every request. One thread writes. A fork carries it over, descriptor and all; flush()
// before it, or both processes write what was gathered.
class AccessLog {
  public:
    // Opens it; inactive if the options name none. Throws std::system_error if the file cannot be opened and
    // std::invalid_argument if the format has an unknown atom.
    explicit AccessLog(const AccessLogOptions& options);
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;
    ~AccessLog();

    bool active() const { return file_ != nullptr; }
    // What the format asks for; nothing if there is no access log.
    bool wants_response_fields() const { return wants_response_fields_; }
    bool wants_duration() const { return wants_duration_; }

    // Appends a line. It is on its way at the latest when flush() has returned.
    void write(const AccessRecord& record);
    void flush();

    // For lines that are to wait for what becomes of their answers. Where the next line begins; that only grows.
    std::uint64_t position() const { return put_size_ + lines_.size(); }
    // Takes the lines from `position` on out again, those that are not on their way yet.
    std::string take_back(std::uint64_t position);
    // Lines that were taken back.
    void write_lines(std::string_view lines);
    // Makes a line say that its answer was cut.
    void mark_cut(std::string& line) const;

    // From now on, whoever has `shadow` can write the lines that are not on their way yet, should this process die.
    // Nothing happens where the log is inactive.
    void cast_shadow(LogShadow shadow);

    // What it writes to; -1 if it is inactive.
    int fd() const;
    // As it was named; empty if it is inactive.
    std::string path() const;

    // USR1. Keeps the old file and logs an error where the new one cannot be opened.
    void reopen();

  private:
    void show_lines(std::size_t from);
    void put(std::string_view lines); // and tells the error log what comes of it

    std::unique_ptr<LogFile> file_; // null: inactive
    std::unique_ptr<AccessFormat> format_;
    bool wants_response_fields_ = false;
    bool wants_duration_ = false;
    std::string lines_;          // gathered, not yet written
    std::uint64_t put_size_ = 0; // bytes that were gathered before them
    LogShadow shadow_;
};

} // namespace cppcorn

#include "base/log/error_log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log/log_file.hpp"
#include "base/log/syslog_facility.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// Apart from the sink, as a signal handler reads it.
std::atomic<int> crash_fd{STDERR_FILENO};

// "[2026-11-23 00:05:43 +0000] [PID] [INFO] text". spdlog's own flags write the zone with a colon and the levels in
// lower case.
class LineFormatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::time_t seconds = std::chrono::system_clock::to_time_t(message.time);
        if (seconds != second_) remember_date(seconds);
        fmt::format_to(std::back_inserter(out), "[{}] [{}] [{}] ", date_.data(), ::getpid(), title_of(message.level));
        out.append(message.payload.begin(), message.payload.end());
        out.push_back('\n');
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(); }

  private:
    void remember_date(std::time_t seconds) {
        std::tm local{};
        ::localtime_r(&seconds, &local);
        second_ = seconds;
        std::strftime(date_.data(), date_.size(), "%Y-%m-%d %H:%M:%S %z", &local);
    }

    std::time_t second_ = -1;
    std::array<char, 40> date_{};
};

// A syslog daemon ends the tag at what it does not know in one, such as the colon of an app spec.
std::string syslog_tag(const ErrorLogOptions& options) {
    std::string tag = options.syslog_prefix.empty() ? options.program : options.syslog_prefix;
    for (char& c : tag) {
        const bool is_fit = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
        if (!is_fit) c = '.';
    }
    return "cppcorn." + tag;
}

// The one sink of the one logger. Both live as long as the process: an app's thread may be logging while a worker
// reopens, so what changes changes in here, under the sink's lock. Each line is written at once, so there is nothing to
// flush.
class ErrorLogSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit ErrorLogSink(LogFile file) : file_(std::move(file)) {}

    void change(LogFile file, const ErrorLogOptions& options) {
        const std::lock_guard<std::mutex> lock(mutex_);
        options_ = options;
        formatter_ = std::make_unique<LineFormatter>();                 // the time zone may be another one now
        crash_fd = file_.is_same_stream(file) ? file_.fd() : file.fd(); // before the old one is closed
        file_.become(std::move(file));
        // The old one's destructor calls closelog(), which would undo the new one's openlog().
        syslog_.reset();
        if (!options.syslog) return;
        const int facility = syslog_facility_number(options.syslog_facility);
        syslog_ = std::make_unique<spdlog::sinks::syslog_sink_st>(syslog_tag(options), LOG_PID, facility, false);
    }

    // A line that was logged, and that has to be seen.
    void repeat_on_stderr(spdlog::level::level_enum level, const std::string& text) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!is_removed()) write_to_stderr(level, text);
    }

    ErrorLogOptions options() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return options_;
    }

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        const LogNews news = file_.write(std::string_view(line.data(), line.size()));
        if (syslog_ != nullptr) syslog_->log(message);
        // Nobody finds a line in a file that has been removed.
        if (message.level >= spdlog::level::err && is_removed()) write_to_stderr(message.level, text_of(message));
        if (news.kind == LogNews::Kind::fails) tell_stderr(news);
        if (news.kind == LogNews::Kind::works_again && spdlog::should_log(spdlog::level::warn)) {
            write_line(file_, spdlog::level::warn, fmt::format("{} lines of this log were lost", news.lost));
        }
    }
    void flush_() override {}

    void tell_stderr(const LogNews& news) {
        write_to_stderr(spdlog::level::err, fmt::format("Cannot write the error log {}: {}; lines are lost",
                                                        file_.path(), std::strerror(news.error)));
    }

    void write_to_stderr(spdlog::level::level_enum level, const std::string& text) {
        LogFile standard("-", STDERR_FILENO);
        if (file_.goes_to(STDERR_FILENO) || file_.is_same(standard)) return;
        write_line(standard, level, text);
    }

    bool is_removed() const {
        struct stat status {};
        return ::fstat(file_.fd(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0;
    }

    static std::string text_of(const spdlog::details::log_msg& message) {
        return {message.payload.begin(), message.payload.end()};
    }

    void write_line(LogFile& file, spdlog::level::level_enum level, const std::string& text) {
        spdlog::memory_buf_t line;
        formatter_->format(spdlog::details::log_msg("cppcorn", level, text), line);
        file.write(std::string_view(line.data(), line.size()));
    }

    LogFile file_;
    ErrorLogOptions options_;
    std::unique_ptr<spdlog::sinks::sink> syslog_;
};

// The sink of the default logger, if that is ours already.
std::shared_ptr<ErrorLogSink> present_sink() {
    const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
    if (logger == nullptr || logger->sinks().size() != 1) return nullptr;
    return std::dynamic_pointer_cast<ErrorLogSink>(logger->sinks().front());
}

std::shared_ptr<ErrorLogSink> make_default_logger(const ErrorLogOptions& options) {
    auto sink = std::make_shared<ErrorLogSink>(LogFile("-", STDERR_FILENO));
    auto logger = std::make_shared<spdlog::logger>("cppcorn", sink);
    // A line that cannot be formatted is lost; spdlog's own handler would print to stderr past our file.
    logger->set_error_handler([](const std::string&) {});
    logger->set_level(row_of(options.level).spdlog_level);
    spdlog::set_default_logger(std::move(logger));
    return sink;
}

void capture_output(int fd) {
    check(::dup2(fd, STDOUT_FILENO), "cannot send stdout to the error log");
    check(::dup2(fd, STDERR_FILENO), "cannot send stderr to the error log");
}

} // namespace

bool ErrorLogOptions::goes_to_stderr() const {
    return standard_stream(path, STDERR_FILENO) == STDERR_FILENO;
}

void open_error_log(const ErrorLogOptions& options) {
    LogFile file(options.path, STDERR_FILENO, StandardStream::stays, options.guard);
    if (options.capture_output && !file.is_standard()) capture_output(file.fd());
    std::shared_ptr<ErrorLogSink> sink = present_sink();
    if (sink == nullptr) sink = make_default_logger(options);
    sink->change(std::move(file), options);
    spdlog::set_level(row_of(options.level).spdlog_level);
}

void change_error_log(const ErrorLogOptions& options) {
    try {
        open_error_log(options);
    } catch (const std::system_error& error) {
        const std::string text = fmt::format("{}; going on with the old one", error.what());
        spdlog::error("{}", text);
        if (const auto sink = present_sink()) sink->repeat_on_stderr(spdlog::level::err, text);
    }
}

void reopen_error_log() {
    if (const auto sink = present_sink()) change_error_log(sink->options());
}

int error_log_fd() {
    return crash_fd;
}

} // namespace cppcorn

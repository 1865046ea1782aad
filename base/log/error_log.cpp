#include "base/log/error_log.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstring>
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

std::atomic<LogLineCounts*> line_counts{nullptr};

void count_line(spdlog::level::level_enum level) {
    LogLineCounts* const counts = line_counts;
    if (counts == nullptr) return;
    if (level == spdlog::level::warn) counts->warnings.add_shared();
    if (level == spdlog::level::err) counts->errors.add_shared();
    if (level == spdlog::level::critical) counts->criticals.add_shared();
}

std::string_view view(spdlog::string_view_t text) {
    return {text.data(), text.size()};
}

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
        formatter_ = make_line_formatter(options.format);               // the time zone may be another one now
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
        count_line(message.level);
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        const LogNews news = file_.write(std::string_view(line.data(), line.size()));
        if (syslog_ != nullptr) log_to_syslog(message);
        // Nobody finds a line in a file that has been removed.
        if (message.level >= spdlog::level::err && is_removed()) write_to_stderr(message.level, text_of(message));
        if (news.kind == LogNews::Kind::fails) tell_stderr(news);
        if (news.kind == LogNews::Kind::works_again && spdlog::should_log(spdlog::level::warn)) {
            write_line(file_, spdlog::level::warn, fmt::format("{} lines of this log were lost", news.lost));
        }
    }
    void flush_() override {}

    void log_to_syslog(spdlog::details::log_msg message) {
        const std::string text = with_request(view(message.payload));
        message.payload = text;
        syslog_->log(message);
    }

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

void change_log_level(LogLevel level) {
    spdlog::set_level(row_of(level).spdlog_level);
}

void reopen_error_log() {
    if (const auto sink = present_sink()) change_error_log(sink->options());
}

void count_log_lines(LogLineCounts* counts) {
    line_counts = counts;
}

int error_log_fd() {
    return crash_fd;
}

} // namespace cppcorn

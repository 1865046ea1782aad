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
#include <syslog.h>
#include <unistd.h>

#include "base/log/log_file.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// Apart from the sink, as a signal handler reads it.
std::atomic<int> crash_fd{STDERR_FILENO};

const char* level_name(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
        case spdlog::level::debug:
            return "DEBUG";
        case spdlog::level::info:
            return "INFO";
        case spdlog::level::warn:
            return "WARNING";
        case spdlog::level::err:
            return "ERROR";
        default:
            return "CRITICAL";
    }
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::critical:
            return spdlog::level::critical;
    }
    return spdlog::level::info;
}

// "[2026-11-23 00:05:43 +0000] [PID] [INFO] text". spdlog's own flags write the zone with a colon and the levels in
// lower case.
class LineFormatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::time_t seconds = std::chrono::system_clock::to_time_t(message.time);
        if (seconds != second_) remember_date(seconds);
        fmt::format_to(std::back_inserter(out), "[{}] [{}] [{}] ", date_.data(), ::getpid(), level_name(message.level));
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

int syslog_facility(const std::string& name) {
    constexpr std::array<std::pair<std::string_view, int>, 20> facilities{
        {{"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
         {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
         {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},     {"uucp", LOG_UUCP},
         {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
         {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},     {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}}};
    for (const auto& [known, facility] : facilities) {
        if (name == known) return facility;
    }
    return LOG_USER;
}

// A syslog daemon ends the tag at what it does not know in one, such as the colon of an app spec.
std::string syslog_tag(const Settings& settings) {
    std::string tag = settings.log_syslog_prefix.empty() ? settings.display_name() : settings.log_syslog_prefix;
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

    void change(LogFile file, const Settings& settings) {
        const std::lock_guard<std::mutex> lock(mutex_);
        formatter_ = std::make_unique<LineFormatter>();                 // the time zone may be another one now
        crash_fd = file_.is_same_stream(file) ? file_.fd() : file.fd(); // before the old one is closed
        file_.become(std::move(file));
        // The old one's destructor calls closelog(), which would undo the new one's openlog().
        syslog_.reset();
        if (!settings.log_syslog) return;
        syslog_ = std::make_unique<spdlog::sinks::syslog_sink_st>(syslog_tag(settings), LOG_PID,
                                                                  syslog_facility(settings.log_syslog_facility), false);
    }

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        const LogNews news = file_.write(std::string_view(line.data(), line.size()));
        if (syslog_ != nullptr) syslog_->log(message);
        if (news.kind == LogNews::Kind::fails) tell_stderr(news);
        if (news.kind == LogNews::Kind::works_again && spdlog::should_log(spdlog::level::warn)) {
            write_line(file_, spdlog::level::warn, fmt::format("{} lines of this log were lost", news.lost));
        }
    }
    void flush_() override {}

    void tell_stderr(const LogNews& news) {
        LogFile standard("-", STDERR_FILENO);
        if (file_.is_standard() || file_.is_same(standard)) return;
        write_line(
            standard, spdlog::level::err,
            fmt::format("Cannot write the error log {}: {}; lines are lost", file_.path(), std::strerror(news.error)));
    }

    void write_line(LogFile& file, spdlog::level::level_enum level, const std::string& text) {
        spdlog::memory_buf_t line;
        formatter_->format(spdlog::details::log_msg("cppcorn", level, text), line);
        file.write(std::string_view(line.data(), line.size()));
    }

    LogFile file_;
    std::unique_ptr<spdlog::sinks::sink> syslog_;
};

// The sink of the default logger, if that is ours already.
std::shared_ptr<ErrorLogSink> present_sink() {
    const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
    if (logger == nullptr || logger->sinks().size() != 1) return nullptr;
    return std::dynamic_pointer_cast<ErrorLogSink>(logger->sinks().front());
}

std::shared_ptr<ErrorLogSink> make_default_logger(const Settings& settings) {
    auto sink = std::make_shared<ErrorLogSink>(LogFile("-", STDERR_FILENO));
    auto logger = std::make_shared<spdlog::logger>("cppcorn", sink);
    // A line that cannot be formatted is lost; spdlog's own handler would print to stderr past our file.
    logger->set_error_handler([](const std::string&) {});
    logger->set_level(spdlog_level(settings.log_level));
    spdlog::set_default_logger(std::move(logger));
    return sink;
}

void capture_output(int fd) {
    check(::dup2(fd, STDOUT_FILENO), "cannot send stdout to the error log");
    check(::dup2(fd, STDERR_FILENO), "cannot send stderr to the error log");
}

} // namespace

void open_error_log(const Settings& settings) {
    LogFile file(settings.error_log, STDERR_FILENO, StandardStream::stays, settings.runs_as_another());
    if (settings.capture_output && !file.is_standard()) capture_output(file.fd());
    std::shared_ptr<ErrorLogSink> sink = present_sink();
    if (sink == nullptr) sink = make_default_logger(settings);
    sink->change(std::move(file), settings);
    spdlog::set_level(spdlog_level(settings.log_level));
}

void reopen_error_log(const Settings& settings) {
    try {
        open_error_log(settings);
    } catch (const std::system_error& error) {
        spdlog::error("{}; going on with the old one", error.what());
    }
}

int error_log_fd() {
    return crash_fd;
}

} // namespace cppcorn

#include "base/log/line_formatter.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/log/log_level.hpp"
#include "base/log/logged_request.hpp"

namespace cppcorn {
namespace {

const char* log_role = "master";

std::string_view text_of(const spdlog::details::log_msg& message) {
    return {message.payload.data(), message.payload.size()};
}

void append(spdlog::memory_buf_t& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

// "[2026-11-23 00:05:43 +0000] [PID] [INFO] text". spdlog's own flags write the zone with a colon and the levels in
// lower case.
class TextFormatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::time_t seconds = std::chrono::system_clock::to_time_t(message.time);
        if (seconds != second_) remember_date(seconds);
        fmt::format_to(std::back_inserter(out), "[{}] [{}] [{}] ", date_.data(), ::getpid(),
                       row_of(message.level).title);
        append(out, with_request(text_of(message)));
        out.push_back('\n');
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<TextFormatter>(); }

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

void add_member(std::string& object, std::string_view key, std::string_view value) {
    object += fmt::format(",\"{}\":\"", key);
    append_json_escaped(object, value);
    object += '"';
}

// UTC, with milliseconds, as the access log's in JSON.
std::string time_text(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto ms = floor<milliseconds>(time.time_since_epoch());
    const auto second = static_cast<std::time_t>(floor<seconds>(ms).count());
    std::tm utc{};
    ::gmtime_r(&second, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    return fmt::format("{}.{:03}Z", text.data(), (ms - floor<seconds>(ms)).count());
}

// {"time":"2026-11-23T00:05:43.045Z","level":"info","pid":7,"role":"worker","message":"text"}, and of a request
// "request_id", "request" and "client".
class JsonFormatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        std::string object = fmt::format(R"({{"time":"{}","level":"{}","pid":{},"role":"{}")", time_text(message.time),
                                         row_of(message.level).name, ::getpid(), log_role);
        add_member(object, "message", text_of(message));
        const RequestFacts request = LoggedRequest::current();
        if (!request.id.empty()) {
            add_member(object, "request_id", request.id);
            add_member(object, "request", request.line);
            add_member(object, "client", request.client);
        }
        object += "}\n";
        append(out, object);
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

} // namespace

std::unique_ptr<spdlog::formatter> make_line_formatter(LogFormat format) {
    if (format == LogFormat::json) return std::make_unique<JsonFormatter>();
    return std::make_unique<TextFormatter>();
}

std::string with_request(std::string_view text) {
    const std::string_view id = LoggedRequest::current().id;
    if (id.empty()) return std::string(text);
    const std::size_t end = std::min(text.find('\n'), text.size());
    return fmt::format("{} request_id={}{}", text.substr(0, end), id, text.substr(end));
}

void set_log_role(const char* role) {
    log_role = role;
}

} // namespace cppcorn

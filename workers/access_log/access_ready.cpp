#include "workers/access_log/access_ready.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <unistd.h>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }

    void key(std::string_view name) {
        if (!is_first_) out_ += ',';
        is_first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }
    void text(std::string_view value) {
        out_ += '"';
        append_json_escaped(out_, cut(value));
        out_ += '"';
    }
    void missing() { out_ += "null"; }
    void number(std::uint64_t value) { append_number(out_, value); }
    void end() { out_ += '}'; }

  private:
    std::string& out_;
    bool is_first_ = true;
};

class LogfmtWriter {
  public:
    explicit LogfmtWriter(std::string& out) : out_(out) {}

    void key(std::string_view name) {
        if (!is_first_) out_ += ' ';
        is_first_ = false;
        out_ += name;
        out_ += '=';
    }
    void text(std::string_view value) {
        const auto needs_quotes = [](char c) { return c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\'; };
        const bool is_plain = !value.empty() && std::none_of(value.begin(), value.end(), needs_quotes);
        if (!is_plain) out_ += '"';
        append_escaped(out_, cut(value));
        if (!is_plain) out_ += '"';
    }
    void missing() { out_ += '-'; }
    void number(std::uint64_t value) { append_number(out_, value); }
    void end() {}

  private:
    std::string& out_;
    bool is_first_ = true;
};

template <class Writer>
void add(Writer& writer, std::string_view key, const AccessValue& value) {
    writer.key(key);
    if (value) {
        writer.text(*value);
    } else {
        writer.missing();
    }
}

template <class Writer>
void add_number(Writer& writer, std::string_view key, std::uint64_t value) {
    writer.key(key);
    writer.number(value);
}

template <class Writer>
void add_queue_time(Writer& writer, const AccessRecord& record) {
    if (!record.queue_time) return add(writer, "queue_us", AccessValue{});
    add_number(writer, "queue_us", static_cast<std::uint64_t>(record.queue_time->count()));
}

template <class Writer>
void add_time(Writer& writer, std::chrono::system_clock::time_point time, DateText& date) {
    const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const auto ms = (since_epoch - second).count();
    std::array<char, 32> text;
    const std::string_view prefix = date.utc(static_cast<std::time_t>(second.count()));
    const std::size_t length = prefix.copy(text.data(), text.size() - 5);
    text[length] = '.';
    text[length + 1] = static_cast<char>('0' + ms / 100);
    text[length + 2] = static_cast<char>('0' + ms / 10 % 10);
    text[length + 3] = static_cast<char>('0' + ms % 10);
    text[length + 4] = 'Z';
    add(writer, "time", std::string_view(text.data(), length + 5));
}

template <class Writer>
void append_record(Writer writer, const AccessRecord& record, DateText& date) {
    const http::RequestHead* const head = record.head;
    add_time(writer, record.started, date);
    add(writer, "remote", remote_address_of(record));
    add(writer, "method", head == nullptr ? AccessValue{} : head->method);
    add(writer, "target", head == nullptr ? AccessValue{} : head->target);
    add(writer, "protocol", protocol_of(record));
    add_number(writer, "status", static_cast<std::uint64_t>(std::max(record.status, 0)));
    add_number(writer, "bytes", record.body_size);
    add_number(writer, "duration_us", microseconds_of(record));
    add(writer, "referer", request_field_of(record, "Referer"));
    add(writer, "user_agent", request_field_of(record, "User-Agent"));
    add_number(writer, "pid", static_cast<std::uint64_t>(::getpid()));
    add(writer, "request_id", request_id_of(record));
    add_queue_time(writer, record);
    add(writer, "traceparent", traceparent_of(record));
    if (head == nullptr) add(writer, "request_line", request_line_of(record));
    writer.end();
}

} // namespace

void append_json(std::string& out, const AccessRecord& record, DateText& date) {
    append_record(JsonWriter(out), record, date);
}

void append_logfmt(std::string& out, const AccessRecord& record, DateText& date) {
    append_record(LogfmtWriter(out), record, date);
}

} // namespace cppcorn

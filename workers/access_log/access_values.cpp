#include "workers/access_log/access_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "base/log/escape.hpp"
#include "workers/http/request_marks.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t max_value = 8192; // bytes, before they are escaped
constexpr std::size_t max_user = 256;

// -1 for what is no digit of it; both alphabets.
int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

// Decodes up to the first colon into `user`. nullopt if it is not base64.
AccessValue decode_user(std::string_view text, std::array<char, max_user>& user) {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    std::size_t size = 0;
    unsigned bits = 0;
    int bit_count = 0;
    for (const char c : text) {
        const int digit = base64_digit(c);
        if (digit < 0) return std::nullopt;
        bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffff;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        const char byte = static_cast<char>(bits >> bit_count & 0xff);
        if (byte == ':' || size == user.size()) break;
        user[size++] = byte;
    }
    if (size == 0) return std::nullopt;
    return std::string_view(user.data(), size);
}

AccessValue first_field(std::span<const http::Field> fields, std::string_view name) {
    for (const http::Field& field : fields) {
        if (http::equal_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
}

} // namespace

AccessValue request_line_of(const AccessRecord& record) {
    if (!record.request_line.empty()) return record.request_line;
    if (record.head != nullptr) return record.head->line;
    return std::nullopt;
}

AccessValue remote_address_of(const AccessRecord& record) {
    if (record.remote_address.empty()) return std::nullopt;
    return record.remote_address;
}

AccessValue request_id_of(const AccessRecord& record) {
    if (record.request_id.empty()) return std::nullopt;
    return record.request_id;
}

AccessValue traceparent_of(const AccessRecord& record) {
    constexpr std::string_view name = "traceparent";
    if (record.head == nullptr) return std::nullopt;
    const auto& fields = record.head->fields;
    const bool is_alone = std::count_if(fields.begin(), fields.end(), [&](const http::Field& field) {
                              return http::equal_ignoring_case(field.name, name);
                          }) == 1;
    const AccessValue value = is_alone ? first_field(fields, name) : std::nullopt;
    return value && http::is_traceparent(*value) ? value : std::nullopt;
}

AccessValue protocol_of(const AccessRecord& record) {
    if (record.head == nullptr) return std::nullopt;
    return record.head->minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

AccessValue request_field_of(const AccessRecord& record, std::string_view name) {
    if (record.head == nullptr) return std::nullopt;
    return first_field(record.head->fields, name);
}

AccessValue response_field_of(const AccessRecord& record, std::string_view name) {
    return first_field(record.response_fields, name);
}

std::uint64_t microseconds_of(const AccessRecord& record) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(record.duration).count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

void append_value(std::string& out, const AccessValue& value) {
    if (value) {
        append_escaped(out, cut(*value));
    } else {
        out += '-';
    }
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits; // of 2^64
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_user(std::string& out, const AccessRecord& record) {
    constexpr std::string_view scheme = "Basic ";
    const std::string_view field = request_field_of(record, "Authorization").value_or("");
    std::array<char, max_user> user;
    AccessValue name;
    if (http::equal_ignoring_case(field.substr(0, scheme.size()), scheme)) {
        const std::size_t at = field.find_first_not_of(' ', scheme.size());
        if (at != std::string_view::npos) name = decode_user(field.substr(at), user);
    }
    append_value(out, name);
}

std::string_view cut(std::string_view value) {
    return value.substr(0, max_value);
}

// By hand, as the names of months must not follow a locale that an app sets.
std::string_view DateText::local(std::time_t second) {
    if (second == local_second_) return local_text_;
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm date{};
    ::localtime_r(&second, &date);
    const long minutes = date.tm_gmtoff / 60;
    const long distance = minutes < 0 ? -minutes : minutes;
    local_text_.clear();
    fmt::format_to(std::back_inserter(local_text_), "{:02}/{}/{}:{:02}:{:02}:{:02} {}{:02}{:02}", date.tm_mday,
                   months[static_cast<std::size_t>(date.tm_mon)], date.tm_year + 1900, date.tm_hour, date.tm_min,
                   date.tm_sec, minutes < 0 ? '-' : '+', distance / 60, distance % 60);
    local_second_ = second;
    return local_text_;
}

std::string_view DateText::utc(std::time_t second) {
    if (second == utc_second_) return utc_text_;
    std::tm date{};
    ::gmtime_r(&second, &date);
    utc_text_.clear();
    fmt::format_to(std::back_inserter(utc_text_), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.tm_year + 1900,
                   date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec);
    utc_second_ = second;
    return utc_text_;
}

} // namespace cppcorn

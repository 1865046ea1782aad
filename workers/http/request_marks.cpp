#include "workers/http/request_marks.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "workers/http/text.hpp"

namespace cppcorn::http {
namespace {

constexpr std::size_t least_id = 20;
constexpr std::size_t most_id = 200;
constexpr std::array<bool, 256> id_table = detail::make_table("-_.:+/=");

enum class Mark { none, id, queue_time, start };

// In CGI's terms, where `-` and `_` are the same: what an app might take for this name, which is in lower case.
bool may_be_taken_for(std::string_view field, std::string_view name) {
    return std::equal(field.begin(), field.end(), name.begin(), name.end(), [](char c, char wanted) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return lower == wanted || (c == '_' && wanted == '-');
    });
}

// Length and first letter tell most names apart.
Mark mark_of(std::string_view name) {
    if ((name.size() != 12 && name.size() != 15) || (name.front() | 0x20) != 'x') return Mark::none;
    if (may_be_taken_for(name, "x-request-id")) return Mark::id;
    if (may_be_taken_for(name, "x-queue-time")) return Mark::queue_time;
    return may_be_taken_for(name, "x-request-start") ? Mark::start : Mark::none;
}

bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

// `text` has so many digits at `at`, and not only zeros, as long as that matters.
bool has_hex(std::string_view text, std::size_t at, std::size_t count, bool may_be_zero) {
    const std::string_view part = text.substr(at, count);
    return std::all_of(part.begin(), part.end(), is_lower_hex) &&
           (may_be_zero || part.find_first_not_of('0') != std::string_view::npos);
}

} // namespace

RequestMarks take_marks(RequestHead& head, bool is_trusted) {
    RequestMarks marks;
    int ids = 0;
    int starts = 0;
    for (const Field& field : head.fields) {
        const Mark mark = mark_of(field.name);
        if (mark == Mark::id) marks.id = field.value, ++ids;
        if (mark == Mark::start) marks.started_us = read_start(field.value), ++starts;
    }
    const bool has_id = is_trusted && ids == 1 && is_request_id(marks.id);
    if (!has_id) marks.id = {};
    if (!is_trusted || starts != 1) marks.started_us = 0;
    const auto is_to_go = [&](const Field& field) {
        const Mark mark = mark_of(field.name);
        return mark == Mark::queue_time || (mark == Mark::id && !has_id) || (mark == Mark::start && !is_trusted);
    };
    head.fields.erase(std::remove_if(head.fields.begin(), head.fields.end(), is_to_go), head.fields.end());
    return marks;
}

bool is_request_id(std::string_view text) {
    return text.size() >= least_id && text.size() <= most_id &&
           std::all_of(text.begin(), text.end(), [](char c) { return id_table[static_cast<unsigned char>(c)]; });
}

std::int64_t read_start(std::string_view text) {
    if (text.substr(0, 2) == "t=") text.remove_prefix(2);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
    // From 2001 to 2286, a time has so many digits.
    const std::size_t decimals = point == 10 ? 6 : point == 13 ? 3 : 0;
    if (point != 10 && point != 13 && point != 16) return 0;
    if (point < text.size() && fraction.empty()) return 0;
    std::int64_t time = 0;
    for (std::size_t i = 0; i < point + decimals; ++i) {
        const char c = i < point ? text[i] : i - point < fraction.size() ? fraction[i - point] : '0';
        if (!is_digit(c)) return 0;
        time = time * 10 + (c - '0');
    }
    const bool is_whole = std::all_of(fraction.begin(), fraction.end(), is_digit);
    return is_whole && text.front() != '0' ? time : 0;
}

bool is_traceparent(std::string_view text) {
    constexpr std::size_t size = 55; // 00-(32)-(16)-(2)
    if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
    const bool has_digits = has_hex(text, 0, 2, true) && has_hex(text, 3, 32, false) && has_hex(text, 36, 16, false) &&
                            has_hex(text, 53, 2, true);
    const std::string_view version = text.substr(0, 2);
    if (!has_digits || version == "ff") return false;
    return text.size() == size || (version != "00" && text[size] == '-');
}

} // namespace cppcorn::http

#include "workers/access_log/access_format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "workers/access_log/access_ready.hpp"

namespace cppcorn {
namespace {

[[noreturn]] void fail(std::size_t at, const std::string& what) {
    throw std::invalid_argument(fmt::format("bad access log format at character {}: {}", at + 1, what));
}

// The header field that CGI calls `variable`; empty if it is not one.
std::string field_of(std::string_view variable) {
    constexpr std::string_view prefix = "HTTP_";
    if (variable != "CONTENT_TYPE" && variable != "CONTENT_LENGTH") {
        if (variable.substr(0, prefix.size()) != prefix) return {};
        variable.remove_prefix(prefix.size());
    }
    std::string field(variable);
    std::replace(field.begin(), field.end(), '_', '-');
    return field;
}

// The letter of the atom that WSGI's environment calls `variable`; 0 if there is none.
char letter_of(std::string_view variable) {
    if (variable == "REMOTE_ADDR") return 'h';
    if (variable == "REQUEST_METHOD") return 'm';
    if (variable == "PATH_INFO") return 'U';
    if (variable == "QUERY_STRING") return 'q';
    if (variable == "SERVER_PROTOCOL") return 'H';
    return '\0';
}

void append_known(std::string& out, std::uint64_t number, bool is_known) {
    if (is_known) {
        append_number(out, number);
    } else {
        out += '-';
    }
}

void append_decimal_seconds(std::string& out, std::uint64_t microseconds) {
    append_number(out, microseconds / 1'000'000);
    std::array<char, 7> fraction{'.'};
    std::uint64_t rest = microseconds % 1'000'000;
    for (std::size_t i = fraction.size() - 1; i > 0; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
    out.append(fraction.data(), fraction.size());
}

// What the head has at `member`, if there is a head.
void append_of_head(std::string& out, const AccessRecord& record, std::string_view http::RequestHead::*member) {
    append_value(out, record.head == nullptr ? AccessValue{} : record.head->*member);
}

} // namespace

// gunicorn's atoms. One row a letter; the meaning is as docs/settings.md has it.
struct AccessAtoms {
    using Out = std::string&;
    using Record = const AccessRecord&;
    using Text = std::string_view;
    using Date = DateText&;

    struct Row {
        char letter;
        std::string_view meaning;
        AccessFormat::Append append;
        const char* text = "";
    };

    static void literal(Out out, Record, Text text, Date) { out += text; }
    static void request_field(Out out, Record record, Text name, Date) {
        append_value(out, request_field_of(record, name));
    }
    static void response_field(Out out, Record record, Text name, Date) {
        append_value(out, response_field_of(record, name));
    }
    static void remote(Out out, Record record, Text, Date) { append_value(out, remote_address_of(record)); }
    static void user(Out out, Record record, Text, Date) { append_user(out, record); }
    static void date(Out out, Record record, Text, Date date) {
        const auto second = std::chrono::floor<std::chrono::seconds>(record.started.time_since_epoch());
        out += '[';
        out += date.local(static_cast<std::time_t>(second.count()));
        out += ']';
    }
    static void request_line(Out out, Record record, Text, Date) { append_value(out, request_line_of(record)); }
    static void method(Out out, Record record, Text, Date) { append_of_head(out, record, &http::RequestHead::method); }
    static void path(Out out, Record record, Text, Date) { append_of_head(out, record, &http::RequestHead::path); }
    static void query(Out out, Record record, Text, Date) { append_of_head(out, record, &http::RequestHead::query); }
    static void protocol(Out out, Record record, Text, Date) { append_value(out, protocol_of(record)); }
    static void status(Out out, Record record, Text, Date) {
        append_known(out, static_cast<unsigned>(record.status), record.status > 0);
    }
    static void size(Out out, Record record, Text, Date) { append_number(out, record.body_size); }
    // gunicorn writes 0 for an empty body here, and a dash only where nothing was answered.
    static void size_or_dash(Out out, Record record, Text, Date) {
        append_known(out, record.body_size, record.status > 0);
    }
    static void seconds(Out out, Record record, Text, Date) { append_number(out, microseconds_of(record) / 1'000'000); }
    static void milliseconds(Out out, Record record, Text, Date) { append_number(out, microseconds_of(record) / 1000); }
    static void microseconds(Out out, Record record, Text, Date) { append_number(out, microseconds_of(record)); }
    static void decimal_seconds(Out out, Record record, Text, Date) {
        append_decimal_seconds(out, microseconds_of(record));
    }
    static void request_id(Out out, Record record, Text, Date) { append_value(out, request_id_of(record)); }
    static void queue_time(Out out, Record record, Text, Date) {
        const auto time = record.queue_time.value_or(std::chrono::microseconds(0));
        append_known(out, static_cast<std::uint64_t>(time.count()), record.queue_time.has_value());
    }
    static void traceparent(Out out, Record record, Text, Date) { append_value(out, traceparent_of(record)); }
    static void process(Out out, Record, Text, Date) {
        out += '<';
        append_number(out, static_cast<std::uint64_t>(::getpid()));
        out += '>';
    }
};

namespace {

// clang-format off
constexpr std::array<AccessAtoms::Row, 22> atoms{{
    {'h', "the client's address", AccessAtoms::remote},
    {'l', "a dash", AccessAtoms::literal, "-"},
    {'u', "the user's name, of Basic authentication", AccessAtoms::user},
    {'t', "when the request began, local time, in brackets", AccessAtoms::date},
    {'r', "the request line", AccessAtoms::request_line},
    {'m', "the method", AccessAtoms::method},
    {'U', "the path, without the query", AccessAtoms::path},
    {'q', "the query", AccessAtoms::query},
    {'H', "the protocol", AccessAtoms::protocol},
    {'s', "the status", AccessAtoms::status},
    {'B', "the size of the body", AccessAtoms::size},
    {'b', "the same, or a dash where nothing was answered", AccessAtoms::size_or_dash},
    {'f', "the Referer", AccessAtoms::request_field, "Referer"},
    {'a', "the User-Agent", AccessAtoms::request_field, "User-Agent"},
    {'T', "the duration in seconds", AccessAtoms::seconds},
    {'D', "the duration in microseconds", AccessAtoms::microseconds},
    {'M', "the duration in milliseconds", AccessAtoms::milliseconds},
    {'L', "the duration in seconds, with six decimals", AccessAtoms::decimal_seconds},
    {'p', "the worker's pid, in angle brackets", AccessAtoms::process},
    {'i', "the request's id", AccessAtoms::request_id},
    {'Q', "the microseconds that it waited in front of the server, if a trusted proxy says when it came (X-Request-Start)",
     AccessAtoms::queue_time},
    {'x', "the traceparent (W3C Trace Context), if it is well-formed", AccessAtoms::traceparent},
}};
// clang-format on

std::string letters() {
    std::string list;
    for (const AccessAtoms::Row& row : atoms) list += row.letter;
    return list;
}

} // namespace

std::vector<AccessAtom> access_atoms() {
    std::vector<AccessAtom> all;
    for (const AccessAtoms::Row& row : atoms) all.push_back({fmt::format("%({})s", row.letter), row.meaning});
    all.push_back({"%({Name}i)s", "the request's header field of that name"});
    all.push_back({"%({Name}o)s", "the response's header field of that name, if it is the app's"});
    all.push_back(
        {"%({NAME}e)s", "a variable of the environment, the request's (`REQUEST_METHOD`, `HTTP_…`) or the process's"});
    all.push_back({"%%", "a percent sign"});
    return all;
}

AccessFormat::AccessFormat(std::string_view format) {
    if (format == "json") {
        kind_ = Kind::json;
    } else if (format == "logfmt") {
        kind_ = Kind::logfmt;
    } else {
        compile(format);
    }
}

bool AccessFormat::has(Append atom) const {
    return std::any_of(ops_.begin(), ops_.end(), [atom](const Op& op) { return op.append == atom; });
}

bool AccessFormat::wants_response_fields() const {
    return has(AccessAtoms::response_field);
}

bool AccessFormat::wants_duration() const {
    return kind_ != Kind::atoms || has(AccessAtoms::seconds) || has(AccessAtoms::milliseconds) ||
           has(AccessAtoms::microseconds) || has(AccessAtoms::decimal_seconds);
}

void AccessFormat::compile(std::string_view format) {
    std::size_t at = 0;
    while (at < format.size()) {
        const char c = format[at];
        const std::string_view rest = format.substr(at);
        if (c != '%') {
            if (static_cast<unsigned char>(c) < 0x20 && c != '\t') fail(at, "a control character");
            add_literal(rest.substr(0, 1));
            ++at;
        } else if (rest.substr(0, 2) == "%%") {
            add_literal("%");
            at += 2;
        } else if (rest.substr(0, 2) == "%(") {
            const std::size_t end = rest.find(')');
            if (end == std::string_view::npos || rest.substr(end, 2) != ")s") fail(at, "an atom must end in )s");
            add_atom(rest.substr(2, end - 2), at);
            at += end + 2;
        } else {
            fail(at, "% must be followed by (atom)s or another %");
        }
    }
}

void AccessFormat::add_literal(std::string_view text) {
    if (ops_.empty() || ops_.back().append != AccessAtoms::literal) ops_.push_back({AccessAtoms::literal, {}});
    ops_.back().text += text;
}

bool AccessFormat::add_letter(char letter) {
    for (const AccessAtoms::Row& row : atoms) {
        if (row.letter != letter) continue;
        ops_.push_back({row.append, row.text});
        return true;
    }
    return false;
}

void AccessFormat::add_atom(std::string_view name, std::size_t at) {
    if (name.size() == 1 && add_letter(name[0])) return;
    const bool has_name = name.size() > 3 && name[0] == '{' && name[name.size() - 2] == '}';
    const std::string_view inner = has_name ? name.substr(1, name.size() - 3) : std::string_view{};
    switch (has_name ? name.back() : '\0') {
        case 'i':
            return ops_.push_back({AccessAtoms::request_field, std::string(inner)});
        case 'o':
            return ops_.push_back({AccessAtoms::response_field, std::string(inner)});
        case 'e':
            return add_variable(inner);
        default:
            fail(at, fmt::format("unknown atom %({})s; known are the letters {} and {{name}}i, {{name}}o, {{name}}e",
                                 escaped(name), letters()));
    }
}

// gunicorn's %({name}e)s is of the WSGI environment, which is made of the request and of the process's own.
void AccessFormat::add_variable(std::string_view name) {
    if (add_letter(letter_of(name))) return;
    if (const std::string field = field_of(name); !field.empty()) {
        return ops_.push_back({AccessAtoms::request_field, field});
    }
    const char* const value = std::getenv(std::string(name).c_str());
    add_literal(value == nullptr ? "-" : escaped(value));
}

void AccessFormat::append(std::string& out, const AccessRecord& record) {
    switch (kind_) {
        case Kind::json:
            append_json(out, record, date_);
            break;
        case Kind::logfmt:
            append_logfmt(out, record, date_);
            break;
        case Kind::atoms:
            for (const Op& op : ops_) op.append(out, record, op.text, date_);
            break;
    }
    out += '\n';
    if (record.cut) mark_cut(out);
}

void AccessFormat::mark_cut(std::string& out) const {
    const std::size_t end_size = kind_ == Kind::json ? 2 : 1; // "}\n", "\n"
    if (out.size() < end_size) return;
    const char* const mark = kind_ == Kind::json ? ",\"cut\":true" : kind_ == Kind::logfmt ? " cut=true" : " cut";
    out.insert(out.size() - end_size, mark);
}

} // namespace cppcorn

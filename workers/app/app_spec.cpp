#include "workers/app/app_spec.hpp"

#include <charconv>
#include <cstddef>
#include <system_error>

#include <fmt/format.h>

#include "base/log/error_log.hpp"
#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t max_spec_length = 4096;
constexpr std::size_t max_arguments = 64;
constexpr std::size_t max_quoted_length = 200; // of the spec, where a message quotes it

// Locale-free, as a spec means the same everywhere.
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_identifier_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::size_t identifier_length(std::string_view text) {
    if (text.empty() || !is_identifier_start(text[0])) return 0;
    std::size_t length = 1;
    while (length < text.size() && (is_identifier_start(text[length]) || is_digit(text[length]))) ++length;
    return length;
}

// "a", "a.b.c"
bool is_dotted_name(std::string_view text) {
    for (;;) {
        const std::size_t length = identifier_length(text);
        if (length == 0) return false;
        if (length == text.size()) return true;
        if (text[length] != '.') return false;
        text.remove_prefix(length + 1);
    }
}

// Quoted with ' around, so " stays as it is to be read; the rest as in the logs.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, max_quoted_length)) {
        if (c == '"') {
            out += c;
        } else {
            append_escaped(out, std::string_view(&c, 1));
        }
    }
    return out + (text.size() > max_quoted_length ? "...'" : "'");
}

// Reads `(ARGS)` from the opening parenthesis to the spec's end.
class ArgumentReader {
  public:
    ArgumentReader(std::string_view spec, std::size_t at) : spec_(spec), at_(at) {}

    std::vector<AppArgument> read();

  private:
    [[noreturn]] void fail(const std::string& what) const;
    bool at_end() const { return at_ == spec_.size(); }
    char peek() const { return at_end() ? '\0' : spec_[at_]; }
    bool skip(char c);
    void skip_blanks();
    void end_argument();
    AppArgument read_literal();
    AppArgument read_word();
    AppArgument read_number();
    std::string read_text();
    void read_escape(std::string& out);
    void read_octal(std::string& out);
    char32_t read_hex(std::size_t digits);
    void read_code_point(std::string& out, std::size_t digits);

    std::string_view spec_;
    std::size_t at_;
};

[[noreturn]] void fail_spec(std::string_view spec, const std::string& what) {
    throw AppSpecError(fmt::format("bad app spec {}: {}; expected MODULE[:NAME[(ARGS)]]", quoted(spec), what));
}

void ArgumentReader::fail(const std::string& what) const {
    fail_spec(spec_, what);
}

bool ArgumentReader::skip(char c) {
    if (at_end() || spec_[at_] != c) return false;
    ++at_;
    return true;
}

void ArgumentReader::skip_blanks() {
    while (skip(' ') || skip('\t')) continue;
}

std::vector<AppArgument> ArgumentReader::read() {
    std::vector<AppArgument> arguments;
    ++at_; // the parenthesis
    skip_blanks();
    while (!skip(')')) {
        if (arguments.size() == max_arguments) fail(fmt::format("more than {} arguments", max_arguments));
        arguments.push_back(read_literal());
        end_argument();
    }
    if (!at_end()) fail("there is text after ')'");
    return arguments;
}

// Past the comma, or to the closing parenthesis.
void ArgumentReader::end_argument() {
    skip_blanks();
    if (at_end()) fail("')' is missing");
    if (!skip(',') && peek() != ')') fail(fmt::format("',' or ')' is missing before {}", quoted(spec_.substr(at_, 1))));
    skip_blanks();
}

AppArgument ArgumentReader::read_literal() {
    const char c = peek();
    if (at_end()) fail("')' is missing");
    if (c == '\'' || c == '"') return read_text();
    if (is_identifier_start(c)) return read_word();
    if (is_digit(c) || c == '-' || c == '+' || c == '.') return read_number();
    fail(fmt::format("an argument cannot begin with {}: arguments are text in quotes, numbers, true, false or null",
                     quoted(spec_.substr(at_, 1))));
}

AppArgument ArgumentReader::read_word() {
    const std::string_view word = spec_.substr(at_, identifier_length(spec_.substr(at_)));
    at_ += word.size();
    if (word == "true" || word == "True") return true;
    if (word == "false" || word == "False") return false;
    if (word == "null" || word == "None") return std::monostate{};
    skip_blanks();
    if (peek() == '=') fail(fmt::format("named arguments ({}=) are not supported; pass values in order", word));
    fail(fmt::format("{} is not a literal; put text in quotes", quoted(word)));
}

AppArgument ArgumentReader::read_number() {
    std::size_t end = at_ + 1;
    const auto is_part = [&](char c) {
        const char before = spec_[end - 1];
        return is_identifier_start(c) || is_digit(c) || c == '.' ||
               ((c == '+' || c == '-') && (before == 'e' || before == 'E'));
    };
    while (end < spec_.size() && is_part(spec_[end])) ++end;
    const std::string_view text = spec_.substr(at_, end - at_);
    at_ = end;

    std::string_view digits = text;
    if (digits[0] == '+') digits.remove_prefix(1); // from_chars takes a minus only
    const std::size_t first = digits.substr(0, 1) == "-" ? 1 : 0;
    const char begin = digits.size() > first ? digits[first] : '\0';
    // A sign after the plus, and the words inf and nan, which from_chars would take.
    if (!is_digit(begin) && begin != '.') fail(fmt::format("{} is not a number", quoted(text)));

    const bool is_real = digits.find_first_of(".eE") != std::string_view::npos;
    const char* const last = digits.data() + digits.size();
    std::int64_t integer = 0;
    double real = 0;
    const auto parsed =
        is_real ? std::from_chars(digits.data(), last, real) : std::from_chars(digits.data(), last, integer);
    if (parsed.ec == std::errc::invalid_argument || parsed.ptr != last) {
        fail(fmt::format("{} is not a number", quoted(text)));
    }
    if (parsed.ec != std::errc{}) fail(fmt::format("{} is out of range", quoted(text)));
    if (is_real) return real;
    return integer;
}

std::string ArgumentReader::read_text() {
    const char quote = spec_[at_++];
    std::string out;
    while (!skip(quote)) {
        if (at_end()) fail(fmt::format("the text has no closing {}", quote));
        if (skip('\\')) {
            read_escape(out);
        } else {
            out += spec_[at_++];
        }
    }
    return out;
}

void ArgumentReader::read_escape(std::string& out) {
    constexpr std::string_view names = "\\'\"abfnrtv";
    constexpr std::string_view values = "\\'\"\a\b\f\n\r\t\v";
    const char c = peek();
    if (c >= '0' && c <= '7') return read_octal(out);
    if (at_end()) fail("the text ends in the middle of an escape");
    ++at_;
    if (const std::size_t named = names.find(c); named != std::string_view::npos) {
        out += values[named];
    } else if (c == 'x') {
        out += static_cast<char>(read_hex(2));
    } else if (c == 'u' || c == 'U') {
        read_code_point(out, c == 'u' ? 4 : 8);
    } else {
        fail(fmt::format("unknown escape {} in text", quoted(spec_.substr(at_ - 1, 1))));
    }
}

void ArgumentReader::read_octal(std::string& out) {
    unsigned value = 0;
    for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i) value = value * 8 + unsigned(spec_[at_++] - '0');
    if (value > 0xff) fail("an octal escape is above \\377");
    out += static_cast<char>(value);
}

char32_t ArgumentReader::read_hex(std::size_t digits) {
    const std::string_view text = spec_.substr(at_, digits);
    std::uint32_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.size() < digits || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
        fail(fmt::format("an escape needs {} hexadecimal digits", digits));
    }
    at_ += digits;
    return value;
}

void ArgumentReader::read_code_point(std::string& out, std::size_t digits) {
    const char32_t code_point = read_hex(digits);
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        fail("an escape names no Unicode character");
    }
    append_utf8(out, code_point);
}

std::string literal_of(const AppArgument& argument) {
    struct Visitor {
        std::string operator()(std::monostate) const { return "null"; }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t integer) const { return std::to_string(integer); }
        std::string operator()(double real) const { return fmt::format("{}", real); }
        std::string operator()(const std::string& text) const { return fmt::format("\"{}\"", escaped(text)); }
    };
    return std::visit(Visitor{}, argument);
}

std::string call_of(const AppSpec& spec) {
    std::string arguments;
    for (const AppArgument& argument : spec.arguments) {
        if (!arguments.empty()) arguments += ", ";
        arguments += literal_of(argument);
    }
    return fmt::format("{}({})", spec.name, arguments);
}

// Where the colon behind the module is: the first one that no "/" follows in what would be the name, for directories
// may have colons, too.
std::size_t end_of_module(std::string_view text) {
    std::size_t colon = text.find(':');
    for (;;) {
        const std::size_t next = text.find_first_of(":/(", colon == std::string_view::npos ? colon : colon + 1);
        if (colon == std::string_view::npos || next == std::string_view::npos || text[next] != '/') return colon;
        colon = text.find(':', next);
    }
}

} // namespace

AppSpecParts split_app_spec(std::string_view text) {
    const std::size_t colon = end_of_module(text);
    if (colon == std::string_view::npos) return {text, {}};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

bool may_be_interpreted(std::string_view text) {
    const auto [module, call] = split_app_spec(text);
    const std::string_view name = call.substr(0, call.find('('));
    const std::string_view arguments = call.substr(name.size());
    const bool has_arguments = !arguments.empty();
    if (text.size() > max_spec_length || !is_dotted_name(module) || !is_dotted_name(name)) return false;
    return !has_arguments || arguments.back() == ')';
}

AppSpec parse_app_spec(std::string_view text) {
    if (text.size() > max_spec_length) fail_spec(text, fmt::format("it is longer than {} characters", max_spec_length));
    // Paths and symbols end at a zero byte: what follows it would be ignored silently.
    if (text.find('\0') != std::string_view::npos) fail_spec(text, "it has a zero byte");

    AppSpec spec;
    const std::size_t colon = end_of_module(text);
    spec.module = text.substr(0, colon);
    if (spec.module.empty()) fail_spec(text, "the module is empty");
    spec.call = spec.name;
    if (colon == std::string_view::npos) return spec;

    const std::string_view rest = text.substr(colon + 1);
    const std::string_view name = rest.substr(0, rest.find('('));
    if (name.empty()) fail_spec(text, "the name after ':' is empty");
    if (identifier_length(name) != name.size()) {
        fail_spec(text, fmt::format("{} is not a name (letters, digits and _)", quoted(name)));
    }
    spec.name = name;
    spec.call = name;
    if (name.size() == rest.size()) return spec;
    spec.arguments = ArgumentReader(text, colon + 1 + name.size()).read();
    spec.call = call_of(spec);
    return spec;
}

} // namespace cppcorn

#include "tests/unit/workers/http/oracle.hpp"

#include <algorithm>
#include <cctype>

#include "tests/unit/workers/http/oracle_host.hpp"
#include "tests/unit/workers/http/oracle_text.hpp"

namespace oracle {
namespace {

struct Incomplete {};

// What gunicorn lets pass.
bool is_conventional(std::string_view method) {
    if (method.size() < 3 || method.size() > 20) return false;
    return all(method, [](char c) { return (is_letter(c) && std::isupper(c)) || is_digit(c) || one_of(c, "-#"); });
}

class Reader {
  public:
    Reader(std::string_view bytes, const Rules& rules) : bytes_(bytes), rules_(rules) {}

    Answer read() {
        try {
            read_head();
            read_body();
            answer_.end = at_;
            answer_.verdict = Verdict::accepted;
        } catch (const Refused& refused) {
            answer_.verdict = Verdict::refused;
            answer_.why = refused.why;
        } catch (const Incomplete&) {
            answer_.verdict = Verdict::incomplete;
        }
        return answer_;
    }

  private:
    // RFC 9112, 2.2, without its permission to take a bare LF.
    std::string_view line(std::size_t limit) {
        for (std::size_t i = at_; i < bytes_.size(); ++i) {
            require(bytes_[i] != '\n', "LF without CR");
            require(i - at_ < limit || bytes_[i] == '\r', "line over the limit");
            if (bytes_[i] != '\r') continue;
            if (i + 1 == bytes_.size()) throw Incomplete();
            require(bytes_[i + 1] == '\n', "CR without LF");
            const std::string_view found = bytes_.substr(at_, i - at_);
            at_ = i + 2;
            return found;
        }
        throw Incomplete();
    }

    void read_head() {
        std::size_t begin = 0;
        std::string_view first = line(rules_.request_line);
        for (int empty_lines = 1; first.empty(); ++empty_lines) {
            require(empty_lines <= 2, "more than two empty lines");
            begin = at_;
            first = line(rules_.request_line);
        }
        require(at_ - begin <= rules_.head, "head over the limit");
        read_request_line(first);
        read_fields(begin, [this](auto name, auto value) { answer_.fields.emplace_back(name, value); });
        judge_fields();
    }

    void read_request_line(std::string_view text) {
        const std::size_t first = text.find(' '), last = text.rfind(' ');
        require(first != std::string_view::npos && first != last, "a request line has three parts");
        const std::string_view method = text.substr(0, first), version = text.substr(last + 1);
        const std::string_view target = text.substr(first + 1, last - first - 1);
        require(is_token(method), "the method is a token");
        require(version.size() == 8 && version.substr(0, 7) == "HTTP/1." && is_digit(version[7]),
                "HTTP/1 of some kind");
        require(method != "CONNECT", "no proxy is here");
        require(rules_.any_method || is_conventional(method), "a method that looks like one");
        require(!target.empty() && all(target, [](char c) { return c > ' ' && c < 0x7f && c != '#'; }),
                "the target is visible ASCII without a fragment");
        answer_.method = method;
        answer_.target = target;
        answer_.minor = version.back() == '0' ? 0 : 1; // RFC 9110, 2.5
        if (target == "*") return require(method == "OPTIONS", "* is for OPTIONS");
        if (target.front() != '/') read_absolute_form(target);
    }

    // RFC 3986, 3 and 3.1; RFC 9112, 3.2.2
    void read_absolute_form(std::string_view target) {
        const std::size_t colon = target.find("://");
        require(colon != std::string_view::npos && is_letter(target[0]), "origin-form, absolute-form or *");
        const std::string_view scheme = target.substr(0, colon), rest = target.substr(colon + 3);
        require(all(scheme, [](char c) { return is_letter(c) || is_digit(c) || one_of(c, "+-."); }), "a scheme");
        if (!all(scheme, is_letter)) answer_.deviates = true;
        const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
        require(authority.find('@') == std::string_view::npos, "no user information");
        require(!authority.empty() && authority[0] != ':', "an absolute-form has an authority");
        judge_host(authority, answer_.deviates);
        answer_.authority = authority;
        absolute_ = true;
    }

    // Field lines up to the empty line (RFC 9112, 5).
    template <class Note>
    void read_fields(std::size_t begin, Note note) {
        for (std::size_t count = 1;; ++count) {
            if (at_ < bytes_.size()) require(!is_blank(bytes_[at_]), "no folded lines");
            const std::string_view text = line(rules_.field_size);
            require(at_ - begin <= rules_.head, "section over the limit");
            if (text.empty()) return;
            require(count <= rules_.fields, "too many fields");
            const std::size_t colon = text.find(':');
            require(colon != std::string_view::npos, "a field line has a colon");
            const std::string_view name = text.substr(0, colon), value = stripped(text.substr(colon + 1));
            const bool framing = lower(name) == "content-length" || lower(name) == "transfer-encoding";
            if (framing && text.find('\t') != std::string_view::npos) answer_.deviates = true;
            require(is_token(name), "a field name is a token");
            require(all(value, is_text), "no control bytes in values");
            const bool underscore = name.find('_') != std::string_view::npos;
            require(!underscore || rules_.underscores != Underscores::refuse, "no underscore in names");
            if (!underscore || rules_.underscores == Underscores::keep) note(name, value);
        }
    }

    std::vector<std::string> values_of(std::string_view name) const {
        std::vector<std::string> values;
        for (const auto& [field, value] : answer_.fields) {
            if (lower(field) == name) values.push_back(value);
        }
        return values;
    }

    // The elements of all fields of that name.
    std::vector<std::string> elements_of(std::string_view name) const {
        std::vector<std::string> elements;
        for (const std::string& value : values_of(name)) {
            for (std::string& element : list_of(value)) elements.push_back(std::move(element));
        }
        return elements;
    }

    void judge_fields() {
        const auto hosts = values_of("host");
        require(hosts.size() <= 1 && (hosts.size() == 1 || answer_.minor == 0), "exactly one Host");
        if (!hosts.empty()) judge_host(hosts[0], answer_.deviates);
        if (!hosts.empty() && !absolute_) answer_.authority = hosts[0];
        require(values_of("content-type").size() <= 1, "one Content-Type");

        const auto options = elements_of("connection");
        auto asks = [&](const char* option) { return std::count(options.begin(), options.end(), option) > 0; };
        answer_.keep_alive = !asks("close") && (answer_.minor == 1 || asks("keep-alive"));
        if (answer_.minor == 0) return;
        for (const std::string& expectation : elements_of("expect")) {
            require(expectation.empty() || expectation == "100-continue", "an expectation that is known");
        }
    }

    // RFC 9112, 6.3
    void read_body() {
        const auto codings = elements_of("transfer-encoding");
        const auto lengths = values_of("content-length");
        if (!codings.empty()) {
            require(codings.size() == 1 && codings[0] == "chunked", "chunked is the only coding, once");
            require(answer_.minor == 1, "no Transfer-Encoding on HTTP/1.0");
            require(lengths.empty(), "no Content-Length beside Transfer-Encoding");
            return read_chunks();
        }
        if (lengths.empty()) return;
        require(lengths.size() == 1, "one Content-Length");
        require(!lengths[0].empty() && lengths[0].size() <= 18 && all(lengths[0], is_digit),
                "a length is 1 to 18 digits");
        const std::uint64_t length = std::stoull(lengths[0]);
        require(rules_.body == 0 || length <= rules_.body, "body over the limit");
        take(length);
    }

    void take(std::uint64_t size) {
        if (size > bytes_.size() - at_) throw Incomplete();
        answer_.body.append(bytes_.substr(at_, size));
        at_ += size;
    }

    // RFC 9112, 7.1
    void read_chunks() {
        for (std::size_t spent = 0;;) {
            const std::size_t left = rules_.chunk_lines + answer_.body.size() - spent;
            const std::size_t begin = at_;
            const std::string_view text = line(left); // may be too long by its CRLF
            spent += at_ - begin;
            require(at_ - begin <= left, "chunk-size lines over the limit");
            const std::uint64_t size = read_chunk_size(text);
            if (size == 0) break;
            require(rules_.body == 0 || answer_.body.size() + size <= rules_.body, "body over the limit");
            take(size);
            require(line(0).empty(), "CRLF behind the chunk");
        }
        read_fields(at_, [](std::string_view field, std::string_view) {
            const std::string name = lower(field);
            require(name != "host" && name != "content-length" && name != "transfer-encoding", "a forbidden trailer");
        });
    }

    std::uint64_t read_chunk_size(std::string_view text) {
        std::size_t digits = 0;
        while (digits < text.size() && is_hex(text[digits])) ++digits;
        require(digits > 0, "a chunk size is hex digits");
        std::uint64_t size = 0;
        for (char c : text.substr(0, digits)) {
            require(size <= (INT64_MAX >> 4), "a chunk size fits 63 bits");
            size = size * 16 + static_cast<std::uint64_t>(is_digit(c) ? c - '0' : std::tolower(c) - 'a' + 10);
        }
        read_extensions(text.substr(digits));
        return size;
    }

    // *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ): RFC 9112, 7.1.1.
    void read_extensions(std::string_view text) {
        while (!text.empty()) {
            skip_blanks(text);
            require(!text.empty() && text[0] == ';', "; before an extension");
            text.remove_prefix(1);
            skip_blanks(text);
            skip_token(text);
            const std::string_view behind_name = text;
            skip_blanks(text);
            if (text.empty() || text[0] != '=') {
                require(text.size() == behind_name.size() || !text.empty(), "no blanks at the end of the line");
                text = behind_name;
                continue;
            }
            text.remove_prefix(1);
            skip_blanks(text);
            if (!text.empty() && text[0] == '"') {
                skip_quoted(text);
            } else {
                skip_token(text);
            }
        }
    }

    static void skip_blanks(std::string_view& text) {
        while (!text.empty() && is_blank(text[0])) text.remove_prefix(1);
    }

    static void skip_token(std::string_view& text) {
        std::size_t size = 0;
        while (size < text.size() && is_tchar(text[size])) ++size;
        require(size > 0, "a token in an extension");
        text.remove_prefix(size);
    }

    static void skip_quoted(std::string_view& text) {
        for (std::size_t i = 1; i < text.size(); ++i) {
            require(is_text(text[i]), "no control bytes in a quoted string");
            if (text[i] == '"') return text.remove_prefix(i + 1);
            if (text[i] != '\\') continue;
            require(++i < text.size() && is_text(text[i]), "a quoted pair");
        }
        throw Refused{"a quoted string has an end"};
    }

    std::string_view bytes_;
    const Rules& rules_;
    std::size_t at_ = 0;
    bool absolute_ = false;
    Answer answer_;
};

} // namespace

Answer read_request(std::string_view bytes, const Rules& rules) {
    return Reader(bytes, rules).read();
}

} // namespace oracle

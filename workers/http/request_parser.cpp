#include "workers/http/request_parser.hpp"

#include <algorithm>

#include "workers/http/request_line.hpp"

namespace cppcorn::http {

namespace {

using Found = LineScanner::Found;

constexpr std::size_t empty_lines_allowed = 2;
constexpr char tls_handshake = 0x16;

} // namespace

RequestParser::RequestParser(const Limits& limits, UnderscoreNames underscores)
    : limits_(limits), rules_(underscores), body_(limits, rules_, engine_) {}

void RequestParser::reset() {
    engine_.reset();
    phase_ = Phase::head;
    scanner_.restart(0);
    rules_.reset();
    base_ = nullptr;
    empty_lines_ = field_count_ = 0;
    request_line_read_ = false;
    head_.clear();
    body_.reset();
    refusal_ = {};
}

Progress RequestParser::next(std::string_view unconsumed) {
    switch (phase_) {
        case Phase::head:
            return read_head(unconsumed);
        case Phase::body:
            return body_.next(unconsumed);
        case Phase::refused:
            break;
    }
    return {Step::refused, 0, {}};
}

std::string_view RequestParser::request_line_so_far(std::string_view unconsumed) const {
    constexpr std::size_t most = 8190;
    if (head_.size > 0) return head_.line; // the head is complete; `unconsumed` is behind it
    for (std::size_t i = 0; i < empty_lines_allowed && unconsumed.substr(0, 2) == "\r\n"; ++i)
        unconsumed.remove_prefix(2);
    return unconsumed.substr(0, std::min(unconsumed.find_first_of("\r\n"), most));
}

Progress RequestParser::read_head(std::string_view bytes) {
    if (base_ && base_ != bytes.data()) {
        head_.size = scanner_.position();
        head_.rebase(base_, bytes.data());
        head_.size = 0;
    }
    base_ = bytes.data();

    for (;;) {
        std::size_t start = scanner_.position();
        if (start < bytes.size()) {
            Verdict verdict = judge_first_byte(bytes[start]);
            if (!verdict.accepted()) return refuse(verdict);
        }
        Found found =
            scanner_.next(bytes, request_line_read_ ? limits_.field_size : limits_.request_line, limits_.head);
        if (found == Found::more) return {};
        if (found != Found::line) return refuse(judge_fault(found, !request_line_read_));

        bool last = request_line_read_ && scanner_.line().empty();
        Verdict verdict = last ? finish_head(bytes) : read_head_line();
        if (!verdict.accepted()) return refuse(verdict);
        if (last) return {Step::head, head_.size, {}};
    }
}

Verdict RequestParser::read_head_line() {
    if (request_line_read_) {
        ++field_count_;
        return rules_.add(scanner_.line(), head_);
    }
    if (scanner_.line().empty()) {
        if (++empty_lines_ > empty_lines_allowed) return {400, "too many empty lines before a request"};
        scanner_.restart(scanner_.position());
        return {};
    }
    request_line_read_ = true;
    return read_request_line(scanner_.line(), head_, limits_.any_method);
}

// Only now llhttp sees the head, and has to agree with what the rules made of it.
Verdict RequestParser::finish_head(std::string_view bytes) {
    Verdict verdict = rules_.finish(limits_, head_);
    if (!verdict.accepted()) return verdict;

    std::size_t end = scanner_.position();
    const std::string_view head = bytes.substr(scanner_.section_start(), end - scanner_.section_start());
    const bool as_it_is =
        head_.line.back() <= '1' && (is_ordinary_method(head_.method) || is_method_of_llhttp(head_.method));
    const llhttp_errno_t error = as_it_is ? engine_.feed(head) : feed_in_other_words(head);
    const bool chunked = engine_.is_chunked();
    bool agreed = error == (head_.has_body() ? HPE_OK : HPE_PAUSED) && engine_.events().head &&
                  engine_.events().message != head_.has_body();
    if (agreed && head_.has_body()) {
        agreed = chunked == head_.chunked();
        if (!chunked) agreed = agreed && engine_.content_length() == static_cast<std::uint64_t>(head_.content_length);
    }
    if (!agreed) return {400, "malformed request"};

    head_.size = end;
    phase_ = Phase::body;
    body_.begin(head_);
    return {};
}

// llhttp refuses methods that it does not know, and later minor versions: it is shown others in their place.
llhttp_errno_t RequestParser::feed_in_other_words(std::string_view head) {
    const std::string_view line = head_.line;
    const bool is_late_version = line.back() > '1';
    const std::size_t method_end = head_.method.size();
    const std::size_t minor_at = line.size() - 1;
    for (const std::string_view part : {std::string_view("POST"), line.substr(method_end, minor_at - method_end),
                                        is_late_version ? std::string_view("1") : line.substr(minor_at)}) {
        if (const llhttp_errno_t error = engine_.feed(part); error != HPE_OK) return error;
    }
    return engine_.feed(head.substr(line.size()));
}

Verdict RequestParser::judge_odd_first_byte(char first) const {
    if (request_line_read_) return judge_odd_field_start(first, field_count_, limits_);
    if (is_token_char(first) || first == '\r' || first == '\n') return {};
    return {400, first == tls_handshake ? "TLS on a plain connection" : "malformed request method"};
}

Progress RequestParser::refuse(Verdict verdict) {
    phase_ = Phase::refused;
    refusal_ = verdict;
    return {Step::refused, 0, {}};
}

} // namespace cppcorn::http

#include "workers/http/request_parser.hpp"

#include <algorithm>

#include "workers/http/llhttp_engine.hpp"
#include "workers/http/request_line.hpp"

namespace cppcorn::http {

namespace {

using Found = LineScanner::Found;

constexpr std::size_t empty_lines_allowed = 2;
constexpr char tls_handshake = 0x16;

} // namespace

RequestParser::RequestParser(const Limits& limits, UnderscoreNames underscores) : limits_(limits), rules_(underscores) {
    llhttp_init(&llhttp_, HTTP_REQUEST, &callbacks());
    llhttp_.data = &events_;
}

void RequestParser::reset() {
    llhttp_reset(&llhttp_);
    events_ = Events();
    phase_ = Phase::head;
    scanner_.restart(0);
    rules_.reset();
    base_ = nullptr;
    empty_lines_ = field_count_ = 0;
    request_line_read_ = false;
    left_ = chunk_lines_ = body_size_ = 0;
    last_ = 0;
    chunk_line_.restart();
    head_.clear();
    refusal_ = {};
}

Progress RequestParser::next(std::string_view unconsumed) {
    switch (phase_) {
        case Phase::head:
            return read_head(unconsumed);
        case Phase::counted_body:
            return read_counted_body(unconsumed);
        case Phase::chunk_line:
        case Phase::chunk_data:
        case Phase::chunk_end:
            return read_chunks(unconsumed);
        case Phase::trailers:
            return read_trailers(unconsumed);
        case Phase::done:
            return {Step::end, 0, {}};
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
        if (found != Found::line) return refuse(judge_fault(found));

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
    return read_request_line(scanner_.line(), head_);
}

// Only now llhttp sees the head, and has to agree with what the rules made of it.
Verdict RequestParser::finish_head(std::string_view bytes) {
    Verdict verdict = rules_.finish(limits_, head_);
    if (!verdict.accepted()) return verdict;

    std::size_t end = scanner_.position();
    llhttp_errno_t error = feed(bytes.substr(scanner_.section_start(), end - scanner_.section_start()));
    bool chunked = (llhttp_.flags & F_CHUNKED) != 0;
    bool agreed =
        error == (head_.has_body() ? HPE_OK : HPE_PAUSED) && events_.head && events_.message != head_.has_body();
    if (agreed && head_.has_body()) {
        agreed = chunked == head_.chunked();
        if (!chunked) agreed = agreed && llhttp_.content_length == static_cast<std::uint64_t>(head_.content_length);
    }
    if (!agreed) return {400, "malformed request"};

    head_.size = end;
    phase_ = head_.chunked() ? Phase::chunk_line : head_.has_body() ? Phase::counted_body : Phase::done;
    left_ = head_.chunked() ? 0 : static_cast<std::uint64_t>(head_.content_length);
    return {};
}

// What is wrong with a line shows in its first byte, before the rest of it is here.
Verdict RequestParser::judge_odd_first_byte(char first) const {
    if (first == '\r' || first == '\n') return {};
    if (!request_line_read_) {
        if (is_token_char(first)) return {};
        return {400, first == tls_handshake ? "TLS on a plain connection" : "malformed request method"};
    }
    if (is_white_space(first)) return {400, "folded field line"};
    if (field_count_ >= limits_.fields) return {431, "too many fields"};
    return {};
}

Verdict RequestParser::judge_fault(Found fault) const {
    switch (fault) {
        case Found::bare_cr:
            return {400, "CR without LF"};
        case Found::bare_lf:
            return {400, "LF without CR"};
        case Found::line_too_long:
            return request_line_read_ ? Verdict{431, "field line over the limit"}
                                      : Verdict{414, "request line over the limit"};
        default:
            return {431, "head or trailers over the limit"};
    }
}

Progress RequestParser::refuse(Verdict verdict) {
    phase_ = Phase::refused;
    refusal_ = verdict;
    return {Step::refused, 0, {}};
}

const llhttp_settings_t& RequestParser::callbacks() {
    static constexpr llhttp_settings_t settings = [] {
        llhttp_settings_t made{};
        made.on_headers_complete = [](llhttp_t* parser) {
            parser->upgrade = 0; // else any Upgrade field ends the parsing
            static_cast<Events*>(parser->data)->head = true;
            return 0;
        };
        made.on_chunk_header = [](llhttp_t* parser) {
            static_cast<Events*>(parser->data)->chunk = true;
            return 0;
        };
        made.on_message_complete = [](llhttp_t* parser) {
            static_cast<Events*>(parser->data)->message = true;
            return static_cast<int>(HPE_PAUSED); // the bytes behind are another message
        };
        return made;
    }();
    return settings;
}

// All of `bytes` in one go, or an error.
llhttp_errno_t RequestParser::feed(std::string_view bytes) {
    events_ = Events();
    llhttp_errno_t error = execute_llhttp(llhttp_, bytes);
    bool cut_short = error == HPE_PAUSED && llhttp_get_error_pos(&llhttp_) != bytes.data() + bytes.size();
    return cut_short ? HPE_INTERNAL : error;
}

} // namespace cppcorn::http

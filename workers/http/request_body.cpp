// The part of RequestParser that reads bodies.
#include <algorithm>

#include "workers/http/request_parser.hpp"
#include "workers/http/text.hpp"

namespace cppcorn::http {

namespace {

using Found = LineScanner::Found;

// Chunk-size lines, with their extensions, may take this much more than the data they announce: else a client has us
// work for nothing.
constexpr std::uint64_t chunk_lines_ahead = 16384;
constexpr std::uint64_t largest_chunk = INT64_MAX;

} // namespace

Progress RequestParser::read_counted_body(std::string_view bytes) {
    if (left_ == 0) {
        phase_ = Phase::done;
        return {Step::end, 0, {}};
    }
    if (bytes.empty()) return {};
    std::string_view body = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= body.size();
    body_size_ += body.size();
    return {Step::body, body.size(), body};
}

Progress RequestParser::read_chunks(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        Verdict verdict;
        switch (phase_) {
            case Phase::chunk_line:
                verdict = read_chunk_line(bytes, at);
                break;
            case Phase::chunk_end:
                verdict = read_chunk_end(bytes, at);
                break;
            case Phase::chunk_data: {
                std::string_view data = bytes.substr(at, std::min<std::uint64_t>(left_, bytes.size() - at));
                if (feed(data) != HPE_OK) return refuse({400, "malformed chunk"});
                left_ -= data.size();
                body_size_ += data.size();
                if (left_ == 0) phase_ = Phase::chunk_end;
                return {Step::body, at + data.size(), data};
            }
            default: {
                Progress progress = read_trailers(bytes.substr(at));
                progress.consumed += at;
                return progress;
            }
        }
        if (!verdict.accepted()) return refuse(verdict);
    }
    return {Step::need_more, at, {}};
}

// Takes what is here of a chunk-size line.
Verdict RequestParser::read_chunk_line(std::string_view bytes, std::size_t& at) {
    std::size_t lf = bytes.find('\n', at);
    bool whole = lf != std::string_view::npos;
    std::string_view part = bytes.substr(at, whole ? lf + 1 - at : lf);
    at += part.size();

    chunk_lines_ += part.size();
    if (chunk_lines_ > chunk_lines_ahead + body_size_) return {400, "chunk-size lines over the limit"};
    std::size_t digits = 0;
    for (char c : part) {
        if (!chunk_line_.take(c)) return {400, "malformed chunk-size line"};
        if (chunk_line_.in_size()) ++digits; // they come first
    }
    bool agreed = feed(part.substr(0, digits)) == HPE_OK && !events_.chunk;
    if (agreed && whole) agreed = feed("\r\n") == HPE_OK && events_.chunk;
    if (!agreed) return {400, "malformed chunk-size line"};
    return whole ? take_chunk_size() : Verdict{};
}

Verdict RequestParser::take_chunk_size() {
    left_ = llhttp_.content_length;
    chunk_line_.restart();
    if (left_ > largest_chunk) return {400, "chunk size out of range"};
    if (limits_.body > 0 && (body_size_ > limits_.body || left_ > limits_.body - body_size_))
        return {413, "chunk over the limit"};
    if (left_ > 0) {
        phase_ = Phase::chunk_data;
        return {};
    }
    phase_ = Phase::trailers;
    scanner_.restart(0);
    field_count_ = 0;
    return {};
}

Verdict RequestParser::read_chunk_end(std::string_view bytes, std::size_t& at) {
    char expected = last_ == '\r' ? '\n' : '\r';
    if (bytes[at] != expected || feed(bytes.substr(at, 1)) != HPE_OK) return {400, "chunk data without CRLF behind it"};
    ++at;
    last_ = expected;
    if (expected == '\n') {
        phase_ = Phase::chunk_line;
        last_ = 0;
    }
    return {};
}

Progress RequestParser::read_trailers(std::string_view bytes) {
    for (;;) {
        std::size_t start = scanner_.position();
        Verdict verdict;
        if (start < bytes.size()) verdict = judge_first_byte(bytes[start]);
        if (!verdict.accepted()) return refuse(verdict);

        Found found = scanner_.next(bytes, limits_.field_size, limits_.head);
        if (found == Found::more) return {};
        if (found != Found::line) return refuse(judge_fault(found));

        ++field_count_;
        bool last = scanner_.line().empty();
        verdict = last ? finish_trailers(bytes.substr(0, scanner_.position())) : rules_.check_trailer(scanner_.line());
        if (!verdict.accepted()) return refuse(verdict);
        if (last) return {Step::end, scanner_.position(), {}};
    }
}

Verdict RequestParser::finish_trailers(std::string_view section) {
    if (feed(section) != HPE_PAUSED || !events_.message) return {400, "malformed trailers"};
    phase_ = Phase::done;
    return {};
}

} // namespace cppcorn::http

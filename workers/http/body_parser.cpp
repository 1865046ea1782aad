#include "workers/http/body_parser.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "workers/http/section_faults.hpp"

namespace cppcorn::http {

namespace {

using Found = LineScanner::Found;

// Chunk-size lines, with their extensions, may take this much more than the data they announce: else a client has us
// work for nothing.
constexpr std::uint64_t chunk_lines_ahead = 16384;
constexpr std::uint64_t largest_chunk = INT64_MAX;

} // namespace

void BodyParser::reset() {
    phase_ = Phase::done;
    left_ = size_ = chunk_lines_ = 0;
    last_ = 0;
    chunk_line_.restart();
    refusal_ = {};
}

Progress BodyParser::next(std::string_view unconsumed) {
    switch (phase_) {
        case Phase::counted:
            return read_counted(unconsumed);
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

Progress BodyParser::refuse(Verdict verdict) {
    phase_ = Phase::refused;
    refusal_ = verdict;
    return {Step::refused, 0, {}};
}

Progress BodyParser::read_counted(std::string_view bytes) {
    if (left_ == 0) {
        phase_ = Phase::done;
        return {Step::end, 0, {}};
    }
    if (bytes.empty()) return {};
    std::string_view body = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= body.size();
    size_ += body.size();
    return {Step::body, body.size(), body};
}

Progress BodyParser::read_chunks(std::string_view bytes) {
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
            case Phase::chunk_data:
                return read_chunk_data(bytes, at);
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

Progress BodyParser::read_chunk_data(std::string_view bytes, std::size_t at) {
    const std::string_view data = bytes.substr(at, std::min<std::uint64_t>(left_, bytes.size() - at));
    if (engine_.feed(data) != HPE_OK) return refuse({400, "malformed chunk"});
    left_ -= data.size();
    size_ += data.size();
    if (left_ == 0) phase_ = Phase::chunk_end;
    return {Step::body, at + data.size(), data};
}

// Takes what is here of a chunk-size line.
Verdict BodyParser::read_chunk_line(std::string_view bytes, std::size_t& at) {
    std::size_t lf = bytes.find('\n', at);
    bool whole = lf != std::string_view::npos;
    std::string_view part = bytes.substr(at, whole ? lf + 1 - at : lf);
    at += part.size();

    chunk_lines_ += part.size();
    if (chunk_lines_ > chunk_lines_ahead + size_) return {400, "chunk-size lines over the limit"};
    std::size_t digits = 0;
    for (char c : part) {
        if (!chunk_line_.take(c)) return {400, "malformed chunk-size line"};
        if (chunk_line_.in_size()) ++digits; // they come first
    }
    bool agreed = engine_.feed(part.substr(0, digits)) == HPE_OK && !engine_.events().chunk;
    if (agreed && whole) agreed = engine_.feed("\r\n") == HPE_OK && engine_.events().chunk;
    if (!agreed) return {400, "malformed chunk-size line"};
    return whole ? take_chunk_size() : Verdict{};
}

Verdict BodyParser::take_chunk_size() {
    left_ = engine_.content_length();
    chunk_line_.restart();
    if (left_ > largest_chunk) return {400, "chunk size out of range"};
    if (limits_.body > 0 && (size_ > limits_.body || left_ > limits_.body - size_))
        return {413, "chunk over the limit"};
    if (left_ > 0) {
        phase_ = Phase::chunk_data;
        return {};
    }
    phase_ = Phase::trailers;
    scanner_.restart(0);
    trailer_count_ = 0;
    return {};
}

Verdict BodyParser::read_chunk_end(std::string_view bytes, std::size_t& at) {
    char expected = last_ == '\r' ? '\n' : '\r';
    if (bytes[at] != expected || engine_.feed(bytes.substr(at, 1)) != HPE_OK)
        return {400, "chunk data without CRLF behind it"};
    ++at;
    last_ = expected;
    if (expected == '\n') {
        phase_ = Phase::chunk_line;
        last_ = 0;
    }
    return {};
}

Progress BodyParser::read_trailers(std::string_view bytes) {
    for (;;) {
        std::size_t start = scanner_.position();
        Verdict verdict;
        if (start < bytes.size()) verdict = judge_field_start(bytes[start], trailer_count_, limits_);
        if (!verdict.accepted()) return refuse(verdict);

        Found found = scanner_.next(bytes, limits_.field_size, limits_.head);
        if (found == Found::more) return {};
        if (found != Found::line) return refuse(judge_fault(found, false));

        ++trailer_count_;
        bool last = scanner_.line().empty();
        verdict = last ? finish_trailers(bytes.substr(0, scanner_.position())) : rules_.check_trailer(scanner_.line());
        if (!verdict.accepted()) return refuse(verdict);
        if (last) return {Step::end, scanner_.position(), {}};
    }
}

Verdict BodyParser::finish_trailers(std::string_view section) {
    if (engine_.feed(section) != HPE_PAUSED || !engine_.events().message) return {400, "malformed trailers"};
    phase_ = Phase::done;
    return {};
}

// ---- In another parser

BodyProgress BodyParser::progress() const {
    // Of a chunk-size line, so much as llhttp has seen.
    const bool in_line = phase_ == Phase::chunk_line && chunk_line_.progress() != ChunkLine().progress();
    return {in_line ? engine_.content_length() : left_,
            size_,
            chunk_lines_,
            static_cast<std::uint8_t>(phase_),
            chunk_line_.progress(),
            last_};
}

bool BodyParser::resume(const BodyProgress& progress) {
    const bool is_counted = phase_ == Phase::counted;
    const bool is_chunked = phase_ == Phase::chunk_line;
    phase_ = static_cast<Phase>(progress.phase);
    size_ = progress.size;
    if (phase_ == Phase::done) return true;
    return is_counted ? resume_counted(progress) : is_chunked && resume_chunks(progress);
}

bool BodyParser::resume_counted(const BodyProgress& progress) {
    const std::uint64_t all = left_;
    left_ = progress.left;
    return phase_ == Phase::counted && left_ <= all && size_ == all - left_;
}

// llhttp is shown another chunk that leaves it in the same place.
bool BodyParser::resume_chunks(const BodyProgress& progress) {
    left_ = progress.left;
    chunk_lines_ = progress.chunk_lines;
    last_ = progress.last;
    const bool is_in_range = (phase_ == Phase::chunk_line || left_ <= largest_chunk) && size_ <= largest_chunk &&
                             (last_ == 0 || last_ == '\r');
    if (!is_in_range || !chunk_line_.resume(progress.chunk_line)) return false;
    switch (phase_) {
        case Phase::chunk_line:
            return chunk_line_.progress() == ChunkLine().progress() || feed_chunk_size(left_);
        case Phase::chunk_data:
            return left_ > 0 && feed_chunk_size(left_) && engine_.feed("\r\n") == HPE_OK;
        case Phase::chunk_end:
            return feed_chunk_size(1) && engine_.feed("\r\nx") == HPE_OK &&
                   (last_ == 0 || engine_.feed("\r") == HPE_OK);
        case Phase::trailers:
            scanner_.restart(0);
            trailer_count_ = 0;
            return engine_.feed("0\r\n") == HPE_OK;
        default:
            return false;
    }
}

bool BodyParser::feed_chunk_size(std::uint64_t size) {
    char digits[16];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), size, 16).ptr;
    return engine_.feed({digits, static_cast<std::size_t>(end - digits)}) == HPE_OK;
}

} // namespace cppcorn::http

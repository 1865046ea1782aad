// Reads a request's body off a byte stream: counted, or in chunks with trailers behind them (RFC 9112, 6 and 7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workers/http/chunk_line.hpp"
#include "workers/http/header_rules.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/line_scanner.hpp"
#include "workers/http/llhttp_engine.hpp"
#include "workers/http/progress.hpp"
#include "workers/http/request_head.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

// How far a body is, between two of its bytes, as numbers.
struct BodyProgress {
    std::uint64_t left = 0;
    std::uint64_t size = 0;
    std::uint64_t chunk_lines = 0;
    std::uint8_t phase = 0;
    std::uint8_t chunk_line = 0;
    char last = 0;
};

class BodyParser {
  public:
    // All are kept by reference and outlive it.
    BodyParser(const Limits& limits, const HeaderRules& rules, LlhttpEngine& engine)
        : limits_(limits), rules_(rules), engine_(engine) {}

    // The body of this request comes next.
    void begin(const RequestHead& head) {
        phase_ = head.chunked() ? Phase::chunk_line : head.has_body() ? Phase::counted : Phase::done;
        left_ = head.chunked() ? 0 : static_cast<std::uint64_t>(head.content_length);
    }
    void reset();

    // As RequestParser::next(), behind the head.
    Progress next(std::string_view unconsumed);
    const Verdict& refusal() const { return refusal_; }

    // For another parser to go on with, which has read the same head. What is there of trailers is to be shown to it
    // once more. False: no parser comes to that.
    BodyProgress progress() const;
    bool resume(const BodyProgress& progress);

    // Bytes delivered so far.
    std::uint64_t size() const { return size_; }

  private:
    enum class Phase : std::uint8_t { counted, chunk_line, chunk_data, chunk_end, trailers, done, refused };

    Progress read_counted(std::string_view bytes);
    Progress read_chunks(std::string_view bytes);
    Progress read_chunk_data(std::string_view bytes, std::size_t at);
    Verdict read_chunk_line(std::string_view bytes, std::size_t& at);
    Verdict take_chunk_size();
    Verdict read_chunk_end(std::string_view bytes, std::size_t& at);
    Progress read_trailers(std::string_view bytes);
    Verdict finish_trailers(std::string_view section);
    Progress refuse(Verdict verdict);
    bool resume_counted(const BodyProgress& progress);
    bool resume_chunks(const BodyProgress& progress);
    bool feed_chunk_size(std::uint64_t size);

    const Limits& limits_;
    const HeaderRules& rules_;
    LlhttpEngine& engine_;

    Phase phase_ = Phase::done;
    std::uint64_t left_ = 0; // bytes to come, of the body or of the chunk
    std::uint64_t size_ = 0;
    std::uint64_t chunk_lines_ = 0; // bytes that were chunk-size lines
    char last_ = 0;                 // byte of the line end behind a chunk's data
    ChunkLine chunk_line_;
    LineScanner scanner_; // of trailers
    std::size_t trailer_count_ = 0;
    Verdict refusal_;
};

} // namespace cppcorn::http

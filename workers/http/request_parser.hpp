// Reads requests off a byte stream: llhttp for streaming and framing, and the rules that it leaves open around it.
// Holds no descriptor and no clock. The verdict does not depend on how the bytes were split.
//
//     for (;;) switch (auto p = parser.next(unconsumed); p.step) {
//         need_more: read more bytes behind `unconsumed`, call again with all of it
//         head:      parser.head() is complete and checked; its bytes are the first p.consumed ones and must stay in
//         place body:      p.body are the next body bytes (a view into `unconsumed`) end:       the message is
//         complete; reset() before the next one refused:   parser.refusal() says which answer to give; the connection
//         ends after it
//     }
// In each case, need_more too, the first p.consumed bytes are done with. Heads and trailer sections are consumed as a
// whole, and grow to limits.head bytes at most; all else is consumed as it comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <llhttp.h>

#include "workers/http/chunk_line.hpp"
#include "workers/http/header_rules.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/line_scanner.hpp"
#include "workers/http/request_head.hpp"
#include "workers/http/text.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

enum class Step { need_more, head, body, end, refused };

struct Progress {
    Step step = Step::need_more;
    std::size_t consumed = 0;
    std::string_view body;
};

class RequestParser {
  public:
    // `limits` is kept by reference and outlives the parser.
    explicit RequestParser(const Limits& limits, UnderscoreNames underscores = UnderscoreNames::drop);
    explicit RequestParser(const Limits&&, UnderscoreNames = UnderscoreNames::drop) = delete;
    RequestParser(const RequestParser&) = delete; // llhttp keeps a pointer to this object
    RequestParser& operator=(const RequestParser&) = delete;

    Progress next(std::string_view unconsumed);
    void reset();

    // What a trusted peer may send in spite of `underscores`; null for nothing. For this head and those that follow.
    void keep_names(const ForwarderNames* names) { rules_.keep(names); }

    const RequestHead& head() const { return head_; }
    RequestHead& head() { return head_; }
    const Verdict& refusal() const { return refusal_; }

    // Body bytes delivered so far.
    std::uint64_t body_size() const { return body_size_; }

    // What has been seen of the request line, for the log line of a request that is refused or timed out before its
    // head was complete. A view into `unconsumed`.
    std::string_view request_line_so_far(std::string_view unconsumed) const;

  private:
    enum class Phase { head, counted_body, chunk_line, chunk_data, chunk_end, trailers, done, refused };

    // What llhttp has reported since the last feed().
    struct Events {
        bool head = false;
        bool chunk = false;
        bool message = false;
    };

    Progress read_head(std::string_view bytes);
    Verdict read_head_line();
    Verdict finish_head(std::string_view bytes);
    Progress read_counted_body(std::string_view bytes);

    Progress read_chunks(std::string_view bytes);
    Verdict read_chunk_line(std::string_view bytes, std::size_t& at);
    Verdict take_chunk_size();
    Verdict read_chunk_end(std::string_view bytes, std::size_t& at);
    Progress read_trailers(std::string_view bytes);
    Verdict finish_trailers(std::string_view section);

    Verdict judge_first_byte(char first) const {
        return is_token_char(first) && field_count_ < limits_.fields ? Verdict{} : judge_odd_first_byte(first);
    }
    Verdict judge_odd_first_byte(char first) const;
    Verdict judge_fault(LineScanner::Found fault) const;
    Progress refuse(Verdict verdict);

    static const llhttp_settings_t& callbacks();
    llhttp_errno_t feed(std::string_view bytes);

    const Limits& limits_;
    llhttp_t llhttp_;
    Events events_;
    Phase phase_ = Phase::head;

    // The head, and later the trailers.
    LineScanner scanner_;
    HeaderRules rules_;
    const char* base_ = nullptr;  // where the bytes were in the call before
    std::size_t empty_lines_ = 0; // before the request line
    std::size_t field_count_ = 0; // dropped ones included
    bool request_line_read_ = false;

    // The body.
    std::uint64_t left_ = 0;        // bytes to come, of the body or of the chunk
    std::uint64_t chunk_lines_ = 0; // bytes that were chunk-size lines
    char last_ = 0;                 // byte of the line end behind a chunk's data
    ChunkLine chunk_line_;

    RequestHead head_;
    Verdict refusal_;
    std::uint64_t body_size_ = 0;
};

} // namespace cppcorn::http

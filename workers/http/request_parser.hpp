// Reads requests off a byte stream: llhttp for streaming and framing, and the rules that it leaves open around it.
// Holds no descriptor and no clock. The verdict does not depend on how the bytes were split.
//
//     for (;;) switch (auto p = parser.next(unconsumed); p.step) {
//         need_more: read more bytes behind `unconsumed`, and call again with all of it
//         head:      parser.head() is complete and checked; its bytes, the first p.consumed ones, must stay in place
//         body:      p.body are the next body bytes (a view into `unconsumed`)
//         end:       the message is complete; reset() before the next one
//         refused:   parser.refusal() says which answer to give; the connection ends after it
//     }
//
// In each case, need_more too, the first p.consumed bytes are done with. Heads and trailer sections are consumed as a
// whole, and grow to limits.head bytes at most; all else is consumed as it comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "workers/http/body_parser.hpp"
#include "workers/http/header_rules.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/line_scanner.hpp"
#include "workers/http/llhttp_engine.hpp"
#include "workers/http/progress.hpp"
#include "workers/http/request_head.hpp"
#include "workers/http/section_faults.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

class RequestParser {
  public:
    // `limits` is kept by reference and outlives the parser.
    explicit RequestParser(const Limits& limits, UnderscoreNames underscores = UnderscoreNames::drop);
    explicit RequestParser(const Limits&&, UnderscoreNames = UnderscoreNames::drop) = delete;
    RequestParser(const RequestParser&) = delete; // its parts refer to one another
    RequestParser& operator=(const RequestParser&) = delete;

    Progress next(std::string_view unconsumed);
    void reset();

    // What a trusted peer may send in spite of `underscores`; null for nothing. For this head and those that follow.
    void keep_names(const ForwarderNames* names) { rules_.keep(names); }

    const RequestHead& head() const { return head_; }
    RequestHead& head() { return head_; }
    const Verdict& refusal() const { return phase_ == Phase::body ? body_.refusal() : refusal_; }

    // The bytes of the head, once it is complete: where they are in place, as its views are.
    std::string_view head_bytes() const { return {base_, head_.size}; }

    // How far the body is; and the same for a parser that has read the same head: false if it makes no sense there.
    BodyProgress body_progress() const { return body_.progress(); }
    bool resume_body(const BodyProgress& progress) { return body_.resume(progress); }

    // Body bytes delivered so far.
    std::uint64_t body_size() const { return body_.size(); }

    // What has been seen of the request line, for the log line of a request that is refused or timed out before its
    // head was complete. A view into `unconsumed`.
    std::string_view request_line_so_far(std::string_view unconsumed) const;

  private:
    enum class Phase { head, body, refused };

    Progress read_head(std::string_view bytes);
    Verdict read_head_line();
    Verdict finish_head(std::string_view bytes);
    llhttp_errno_t feed_in_other_words(std::string_view head);
    // What is wrong with a line shows in its first byte, before the rest of it is here.
    Verdict judge_first_byte(char first) const {
        return is_token_char(first) && field_count_ < limits_.fields ? Verdict{} : judge_odd_first_byte(first);
    }
    Verdict judge_odd_first_byte(char first) const;
    Progress refuse(Verdict verdict);

    const Limits& limits_;
    LlhttpEngine engine_;
    Phase phase_ = Phase::head;

    LineScanner scanner_;
    HeaderRules rules_;
    const char* base_ = nullptr;  // where the bytes were in the call before
    std::size_t empty_lines_ = 0; // before the request line
    std::size_t field_count_ = 0; // dropped ones included
    bool request_line_read_ = false;

    RequestHead head_;
    BodyParser body_;
    Verdict refusal_;
};

} // namespace cppcorn::http

// Feeds a RequestParser as a connection would, in pieces of any size, and tells what came out of it. For unit tests and
// fuzzers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/http/request_parser.hpp"

namespace http_feeding {

using namespace cppcorn::http;

struct Outcome {
    enum class Kind { incomplete, complete, refused };

    Kind kind = Kind::incomplete;
    int status = 0; // of the refusal
    std::string reason;
    bool head_seen = false;
    std::string method, target, path, query, authority;
    int minor = -1;
    std::vector<std::pair<std::string, std::string>> fields;
    std::int64_t content_length = 0;
    bool keep_alive = false, expect_continue = false;
    std::string body;
    std::size_t end = 0; // bytes consumed up to the message's end

    bool complete() const { return kind == Kind::complete; }

    // All but the reason, and of a refused message all that a caller has acted on.
    std::string text() const {
        std::string out = kind == Kind::complete ? "complete" : kind == Kind::refused ? "refused" : "incomplete";
        out += " " + std::to_string(status) + " [" + method + "|" + target + "|" + path + "|" + query + "|" +
               authority + "] " + std::to_string(minor) + " length " + std::to_string(content_length) +
               (keep_alive ? " keep-alive" : " close") + (expect_continue ? " continue" : "");
        for (const auto& [name, value] : fields) out += "\n" + name + "=" + value;
        return out + "\nbody " + body + "\nend " + std::to_string(end);
    }
};

inline void take_head(const RequestHead& head, Outcome& outcome) {
    outcome.head_seen = true;
    outcome.method = head.method;
    outcome.target = head.target;
    outcome.path = head.path;
    outcome.query = head.query;
    outcome.authority = head.authority;
    outcome.minor = head.minor;
    for (const Field& field : head.fields) outcome.fields.emplace_back(field.name, field.value);
    outcome.content_length = head.content_length;
    outcome.keep_alive = head.keep_alive;
    outcome.expect_continue = head.expect_continue;
}

// The bytes that have come and are not done with. Each piece moves them to new memory of exactly their size, so that a
// stale view or a read too far is an error under the sanitizers; a large input stays where it is, which copies less.
class Arrivals {
  public:
    explicit Arrivals(std::string_view input) : input_(input) {}

    std::string_view bytes() const {
        if (large()) return input_.substr(used_, given_ - used_);
        return {moved_.data(), moved_.size()};
    }
    bool all_given() const { return given_ == input_.size(); }
    std::size_t used() const { return used_; }

    void use(std::size_t size) {
        used_ += size;
        move();
    }

    void give(std::size_t size) {
        given_ += std::min(std::max<std::size_t>(size, 1), input_.size() - given_);
        move();
    }

  private:
    bool large() const { return input_.size() > 2000; }

    void move() {
        if (large()) return;
        std::string_view now = input_.substr(used_, given_ - used_);
        moved_ = std::vector<char>(now.begin(), now.end());
    }

    std::string_view input_;
    std::vector<char> moved_;
    std::size_t given_ = 0, used_ = 0;
};

inline Outcome feed(RequestParser& parser, std::string_view input, const std::function<std::size_t()>& piece_size) {
    Outcome outcome;
    Arrivals arrivals(input);
    for (;;) {
        Progress progress = parser.next(arrivals.bytes());
        if (progress.consumed > arrivals.bytes().size()) std::abort();
        outcome.body += progress.body;
        if (progress.step == Step::head) take_head(parser.head(), outcome);
        arrivals.use(progress.consumed);
        if (progress.step == Step::end) {
            outcome.kind = Outcome::Kind::complete;
            outcome.end = arrivals.used();
            return outcome;
        }
        if (progress.step == Step::refused) {
            outcome.kind = Outcome::Kind::refused;
            outcome.status = parser.refusal().status;
            outcome.reason = parser.refusal().reason;
            return outcome;
        }
        if (progress.step != Step::need_more) continue;
        if (arrivals.all_given()) return outcome;
        arrivals.give(piece_size());
    }
}

struct Rules {
    Limits limits = {};
    UnderscoreNames underscores = UnderscoreNames::drop;
};

} // namespace http_feeding

// Requests for unit tests: fed whole, byte by byte and split at random, and read a second time by the oracle.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/unit/workers/http/agreement.hpp"
#include "tests/unit/workers/http/outcome.hpp"

namespace http_feeding {

// Whole, byte by byte, and split at random: all have to agree, and the oracle with them.
inline Outcome parse(std::string_view input, const Rules& rules = {}) {
    RequestParser parser(rules.limits, rules.underscores);
    Outcome whole = feed(parser, input, [&] { return input.size(); });
    parser.reset();
    REQUIRE(feed(parser, input, [] { return std::size_t{1}; }).text() == whole.text());
    for (unsigned seed = 1; seed <= 6; ++seed) {
        std::mt19937 random(seed);
        std::size_t most = seed % 2 ? 7 : std::max<std::size_t>(input.size() / 2, 1);
        parser.reset();
        REQUIRE(feed(parser, input, [&] { return 1 + random() % most; }).text() == whole.text());
    }
    REQUIRE(disagreement(whole, input, rules) == "");
    return whole;
}

inline int refusal_of(std::string_view input, const Rules& rules = {}) {
    Outcome outcome = parse(input, rules);
    return outcome.kind == Outcome::Kind::refused ? outcome.status : outcome.complete() ? 0 : -1;
}

// A GET with these field lines, each with its CRLF.
inline std::string get_with(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

} // namespace http_feeding

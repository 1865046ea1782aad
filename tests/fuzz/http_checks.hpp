// The two things that hold for any bytes that a client sends: the verdict does not depend on how they were split, and
// the oracle agrees.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/unit/workers/http/agreement.hpp"
#include "tests/unit/workers/http/outcome.hpp"

namespace fuzz {

using http_feeding::feed;
using http_feeding::Outcome;
using http_feeding::Rules;

// The defaults for the most part, else limits that a short input reaches.
inline Rules take_rules(FuzzedDataProvider& choices) {
    Rules rules;
    rules.underscores =
        choices.PickValueInArray({cppcorn::http::UnderscoreNames::drop, cppcorn::http::UnderscoreNames::refuse,
                                  cppcorn::http::UnderscoreNames::keep});
    const auto small = [&] { return choices.ConsumeIntegralInRange<std::size_t>(0, 120); };
    const auto choice = choices.ConsumeIntegral<std::uint8_t>();
    rules.limits.any_method = choice >= 128;
    if (choice % 3 != 1) return rules;
    rules.limits = {small(), small() / 8, small(), small() * 2, small() / 4, rules.limits.any_method};
    return rules;
}

inline Outcome read_whole(cppcorn::http::RequestParser& parser, std::string_view input) {
    parser.reset();
    return feed(parser, input, [&] { return input.size(); });
}

inline void check_splits(cppcorn::http::RequestParser& parser, std::string_view input, const Outcome& whole,
                         std::uint32_t seed) {
    parser.reset();
    const std::string bytewise = feed(parser, input, [] { return std::size_t{1}; }).text();
    require(bytewise == whole.text(), "read byte by byte, it is another", whole.text() + "\n" + bytewise);
    std::mt19937 random(seed);
    for (std::size_t most : {std::size_t{9}, std::max<std::size_t>(input.size() / 2, 1)}) {
        parser.reset();
        const std::string split = feed(parser, input, [&] { return 1 + random() % most; }).text();
        require(split == whole.text(), "split at random, it is another", whole.text() + "\n" + split);
    }
}

inline void check_oracle(std::string_view input, const Outcome& whole, const Rules& rules) {
    const std::string difference = disagreement(whole, input, rules);
    require(difference.empty(), "the oracle disagrees", difference + "\n" + whole.text());
}

} // namespace fuzz

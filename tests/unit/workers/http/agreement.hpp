// What the server's parser and the oracle say of the same bytes, compared.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/workers/http/oracle.hpp"
#include "tests/unit/workers/http/outcome.hpp"

namespace http_feeding {

// Empty if the two agree; else what they differ in.
inline std::string disagreement(const Outcome& ours, std::string_view input, const Rules& rules = {}) {
    const Limits& limits = rules.limits;
    const auto underscores = rules.underscores == UnderscoreNames::drop     ? oracle::Underscores::drop
                             : rules.underscores == UnderscoreNames::refuse ? oracle::Underscores::refuse
                                                                            : oracle::Underscores::keep;
    oracle::Rules same{limits.request_line, limits.fields, limits.field_size, limits.head, limits.body};
    same.underscores = underscores;
    same.any_method = limits.any_method;
    const oracle::Answer theirs = oracle::read_request(input, same);
    if (theirs.verdict != oracle::Verdict::accepted) {
        return ours.complete() ? "only the oracle refuses: " + theirs.why : "";
    }
    if (!ours.complete()) return theirs.deviates ? "" : "only the oracle accepts: " + ours.reason;

    if (ours.method != theirs.method) return "method: " + ours.method + ", " + theirs.method;
    if (ours.target != theirs.target) return "target: " + ours.target + ", " + theirs.target;
    if (ours.authority != theirs.authority) return "authority: " + ours.authority + ", " + theirs.authority;
    if (ours.minor != theirs.minor) return "version";
    if (ours.body != theirs.body) return "body: " + ours.body + ", " + theirs.body;
    if (ours.end != theirs.end) return "end: " + std::to_string(ours.end) + ", " + std::to_string(theirs.end);
    if (ours.keep_alive != theirs.keep_alive) return "keep-alive";
    auto fields = theirs.fields; // beside an absolute form, the app is shown the target's host
    for (auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "host")) value = theirs.authority;
    }
    return ours.fields == fields ? "" : "fields";
}

} // namespace http_feeding

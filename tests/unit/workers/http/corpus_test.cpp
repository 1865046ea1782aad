// The corpus, read by the server's parser in any pieces and by the oracle.
#include "tests/unit/workers/http/corpus.hpp"

#include <functional>
#include <random>
#include <set>

#include "tests/catch.hpp"
#include "tests/unit/workers/http/agreement.hpp"
#include "tests/unit/workers/http/outcome.hpp"

using namespace http_feeding;

namespace {

std::string told(const char* kind, const std::string& method, const std::string& target, const std::string& body) {
    return std::string(kind) + " " + method + " " + target + (body.empty() ? "" : " " + body);
}

// What becomes of the bytes, in the corpus's own words.
std::vector<std::string> replay(std::string_view bytes, const std::function<std::size_t()>& piece_size) {
    Limits limits;
    RequestParser parser(limits);
    std::vector<std::string> results;
    while (!bytes.empty()) {
        parser.reset();
        const Outcome outcome = feed(parser, bytes, piece_size);
        CHECK(disagreement(outcome, bytes) == "");
        if (!outcome.complete()) {
            const bool refused = outcome.kind == Outcome::Kind::refused;
            results.push_back(refused ? "refuse " + std::to_string(outcome.status) : "more");
            break;
        }
        const char* kind = outcome.keep_alive ? "accept" : "last";
        results.push_back(told(kind, outcome.method, outcome.target, outcome.body));
        if (!outcome.keep_alive) break;
        bytes.remove_prefix(outcome.end);
    }
    return results;
}

// The same by the oracle. It does not say with which status it refuses.
std::vector<std::string> replay_by_oracle(std::string_view bytes, bool& deviates) {
    std::vector<std::string> results;
    while (!bytes.empty()) {
        const oracle::Answer answer = oracle::read_request(bytes);
        deviates = deviates || answer.deviates;
        if (answer.verdict != oracle::Verdict::accepted) {
            results.push_back(answer.verdict == oracle::Verdict::refused ? "refuse" : "more");
            break;
        }
        results.push_back(told(answer.keep_alive ? "accept" : "last", answer.method, answer.target, answer.body));
        if (!answer.keep_alive) break;
        bytes.remove_prefix(answer.end);
    }
    return results;
}

} // namespace

TEST_CASE("http corpus: the parser does as each case says, however the bytes are split") {
    const auto cases = corpus::read_cases(CPPCORN_CORPUS);
    REQUIRE(cases.size() > 200);
    std::set<std::string> names;
    for (const corpus::Case& each : cases) {
        CAPTURE(each.name);
        REQUIRE(names.insert(each.name).second);
        REQUIRE_FALSE(each.bytes.empty());
        CHECK(replay(each.bytes, [&] { return each.bytes.size(); }) == each.expected);
        CHECK(replay(each.bytes, [] { return std::size_t{1}; }) == each.expected);
        for (unsigned seed = 1; seed <= 4; ++seed) {
            std::mt19937 random(seed);
            const std::size_t most = seed % 2 ? 5 : std::max<std::size_t>(each.bytes.size() / 3, 1);
            CHECK(replay(each.bytes, [&] { return 1 + random() % most; }) == each.expected);
        }
    }
}

TEST_CASE("http corpus: the oracle does as each case says") {
    for (const corpus::Case& each : corpus::read_cases(CPPCORN_CORPUS)) {
        CAPTURE(each.name);
        std::vector<std::string> expected = each.expected;
        for (std::string& step : expected) {
            if (step.substr(0, 6) == "refuse") step = "refuse";
        }
        bool deviates = false;
        const auto results = replay_by_oracle(each.bytes, deviates);
        if (!deviates) CHECK(results == expected);
    }
}

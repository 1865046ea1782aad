// Requests, one after the other as in a pipeline: how their bytes were split makes no difference.
#include "tests/fuzz/http_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider choices(data, size);
    const fuzz::Rules rules = fuzz::take_rules(choices);
    const auto seed = choices.ConsumeIntegral<std::uint32_t>();
    const std::string bytes = choices.ConsumeRemainingBytesAsString();
    cppcorn::http::RequestParser parser(rules.limits, rules.underscores);
    std::string_view rest = bytes;
    for (int count = 0; count < 20 && !rest.empty(); ++count) {
        const fuzz::Outcome whole = fuzz::read_whole(parser, rest);
        fuzz::check_splits(parser, rest, whole, seed);
        if (!whole.complete()) break;
        rest.remove_prefix(whole.end);
    }
    return 0;
}

// Chunked bodies with their trailers, behind a head that is always the same: split as they may be, and by the oracle.
#include "tests/fuzz/http_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider choices(data, size);
    fuzz::Rules rules = fuzz::take_rules(choices);
    rules.limits.request_line += 20; // the head itself is within them
    rules.limits.fields += 2;
    rules.limits.field_size += 30;
    rules.limits.head += 70;
    const auto seed = choices.ConsumeIntegral<std::uint32_t>();
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + choices.ConsumeRemainingBytesAsString();
    cppcorn::http::RequestParser parser(rules.limits, rules.underscores);
    const fuzz::Outcome whole = fuzz::read_whole(parser, bytes);
    fuzz::require(whole.head_seen, "the head was refused", whole.text());
    fuzz::check_splits(parser, bytes, whole, seed);
    fuzz::check_oracle(bytes, whole, rules);
    return 0;
}

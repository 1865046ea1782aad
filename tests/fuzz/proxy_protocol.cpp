// The PROXY protocol's header: the answer does not depend on how the bytes were split, and takes no more than there
// are.
#include "workers/http/proxy_protocol.hpp"

#include <algorithm>
#include <random>

#include "tests/fuzz/fuzz_input.hpp"

namespace {

using cppcorn::http::ProxyReading;
using cppcorn::http::read_proxy_header;
using Kind = ProxyReading::Kind;

std::string text_of(const ProxyReading& reading) {
    std::string text = std::to_string(static_cast<int>(reading.kind)) + " " + std::to_string(reading.consumed) + " " +
                       std::to_string(static_cast<int>(reading.header.source)) + " " +
                       std::to_string(reading.header.port);
    for (const auto byte : reading.header.address) text += " " + std::to_string(byte);
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using cppcorn::http::ProxyProtocol;
    FuzzedDataProvider choices(data, size);
    const auto expected = choices.PickValueInArray({ProxyProtocol::v1, ProxyProtocol::v2, ProxyProtocol::automatic});
    std::mt19937 random(choices.ConsumeIntegral<std::uint32_t>());
    const std::string bytes = choices.ConsumeRemainingBytesAsString();
    const ProxyReading whole = read_proxy_header(bytes, expected);
    fuzz::require(whole.consumed <= bytes.size(), "it takes more than there is", text_of(whole));
    fuzz::require(whole.consumed == 0 || whole.kind == Kind::done, "it takes what is no header", text_of(whole));
    const bool endless = bytes.size() > cppcorn::http::longest_proxy_v2 && whole.kind == Kind::need_more;
    fuzz::require(!endless, "it wants more for ever", text_of(whole));
    for (const std::size_t most : {std::size_t{1}, std::max<std::size_t>(bytes.size() / 3, 1)}) {
        for (std::size_t end = 0; end <= bytes.size(); end += 1 + random() % most) {
            // A copy, so that a look beyond the end is a look beyond the allocation.
            const std::string arrived = bytes.substr(0, end);
            const ProxyReading reading = read_proxy_header(arrived, expected);
            if (reading.kind == Kind::need_more) continue;
            fuzz::require(text_of(reading) == text_of(whole), "split, it is another",
                          text_of(reading) + "\n" + text_of(whole));
            break;
        }
    }
    return 0;
}

// The PROXY protocol's header, versions 1 and 2: what a proxy says of the client before the client's own first byte.
// Holds no descriptor and no clock. The answer does not depend on how the bytes were split.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cppcorn::http {

enum class ProxyProtocol { off, v1, v2, automatic }; // automatic: either version, or no header at all

struct ProxyHeader {
    enum class Source {
        proxy,   // the proxy itself speaks (v2 LOCAL): a health check
        unknown, // a client that the proxy does not tell
        client,  // address and port are the client's
    };
    Source source = Source::unknown;
    std::array<std::uint8_t, 16> address{}; // IPv4 as the IPv6 address it is mapped to
    std::uint16_t port = 0;
};

struct ProxyReading {
    enum class Kind { need_more, absent, done, refused };
    Kind kind = Kind::need_more;
    std::size_t consumed = 0; // done: the header's bytes
    ProxyHeader header;
    const char* reason = ""; // refused; static text
};

// Reads the beginning of a connection's bytes, all of them each time. Absent: they begin with no header of a version
// that is expected; nothing is consumed.
ProxyReading read_proxy_header(std::string_view bytes, ProxyProtocol expected);

inline constexpr std::size_t longest_proxy_v1 = 107;       // with its CRLF
inline constexpr std::size_t longest_proxy_v2 = 16 + 4096; // TLVs included; the protocol would allow 64 KiB

} // namespace cppcorn::http

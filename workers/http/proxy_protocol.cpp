#include "workers/http/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <arpa/inet.h>

#include "workers/http/text.hpp"

namespace cppcorn::http {
namespace {

using Kind = ProxyReading::Kind;
using Source = ProxyHeader::Source;

constexpr std::string_view v1_signature = "PROXY ";
constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_head = 16; // signature, version and command, family, length

ProxyReading refused(const char* reason) {
    return {Kind::refused, 0, {}, reason};
}

void set_ipv4(ProxyHeader& header, const void* address) {
    header.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::memcpy(header.address.data() + 12, address, 4);
}

bool read_address(std::string_view text, bool v6, ProxyHeader& header) {
    const std::string copy(text);
    if (v6) return ::inet_pton(AF_INET6, copy.c_str(), header.address.data()) == 1;
    in_addr address{};
    if (::inet_pton(AF_INET, copy.c_str(), &address) != 1) return false;
    set_ipv4(header, &address);
    return true;
}

bool read_port(std::string_view text, std::uint16_t& port) {
    if (text.size() > 1 && text.front() == '0') return false;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

// Up to the next blank, or to the end.
std::string_view take_word(std::string_view& line) {
    const std::size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    line = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
    return word;
}

// `line` is what stands between the signature and the CRLF.
bool read_v1_line(std::string_view line, ProxyHeader& header) {
    const std::string_view family = take_word(line);
    if (family == "UNKNOWN") return true; // whatever follows
    if (family != "TCP4" && family != "TCP6") return false;
    const bool v6 = family == "TCP6";
    ProxyHeader destination; // checked and forgotten: which address the client called is told by Host
    if (std::count(line.begin(), line.end(), ' ') != 3) return false;
    const bool addresses = read_address(take_word(line), v6, header) && read_address(take_word(line), v6, destination);
    if (!addresses || !read_port(take_word(line), header.port) || !read_port(line, destination.port)) return false;
    header.source = Source::client;
    return true;
}

ProxyReading read_v1(std::string_view bytes) {
    const std::size_t end = bytes.substr(0, longest_proxy_v1).find('\n');
    const std::string_view line = bytes.substr(0, end);
    if (end == std::string_view::npos && bytes.size() >= longest_proxy_v1) return refused("PROXY line over 107 bytes");
    const std::size_t cr = line.find('\r');
    if (cr != std::string_view::npos && cr + 1 < line.size()) return refused("CR within a PROXY line");
    if (has_control(line.substr(0, cr))) return refused("control byte in a PROXY line");
    if (end == std::string_view::npos) return {};
    if (cr == std::string_view::npos) return refused("PROXY line without CR");
    ProxyReading reading{Kind::done, end + 1, {}, ""};
    if (!read_v1_line(line.substr(v1_signature.size(), cr - v1_signature.size()), reading.header)) {
        return refused("malformed PROXY line");
    }
    return reading;
}

std::uint16_t big_endian(std::string_view bytes) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

// Bytes of addresses that a family and transport takes; nothing if there is no such.
std::optional<std::size_t> v2_address_size(unsigned char family) {
    if (family == 0) return 0;
    if ((family & 0xf) != 1 && (family & 0xf) != 2) return std::nullopt;
    switch (family >> 4) {
        case 1:
            return 12;
        case 2:
            return 36;
        case 3:
            return 216;
        default:
            return std::nullopt;
    }
}

void read_v2_addresses(std::string_view addresses, unsigned char family, ProxyHeader& header) {
    constexpr unsigned char tcp4 = 0x11, tcp6 = 0x21;
    if (family != tcp4 && family != tcp6) return; // a unix socket or datagrams: nobody that an app would know
    header.source = Source::client;
    if (family == tcp4) {
        set_ipv4(header, addresses.data());
        header.port = big_endian(addresses.substr(8));
    } else {
        std::memcpy(header.address.data(), addresses.data(), header.address.size());
        header.port = big_endian(addresses.substr(32));
    }
}

ProxyReading read_v2(std::string_view bytes) {
    constexpr unsigned char local = 0x20, proxied = 0x21;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() > 12 && byte(12) != local && byte(12) != proxied)
        return refused("unknown PROXY version or command");
    if (bytes.size() < v2_head) return {};
    const std::size_t length = big_endian(bytes.substr(14));
    if (v2_head + length > longest_proxy_v2) return refused("PROXY header over 4 KiB");
    const auto needed = v2_address_size(byte(13));
    const bool is_local = byte(12) == local; // which may have any family, to be ignored
    if (!is_local && !needed) return refused("unknown PROXY address family");
    if (!is_local && length < *needed) return refused("PROXY header without its addresses");
    if (bytes.size() < v2_head + length) return {};
    ProxyReading reading{Kind::done, v2_head + length, {}, ""};
    if (is_local) {
        reading.header.source = Source::proxy;
    } else {
        read_v2_addresses(bytes.substr(v2_head, *needed), byte(13), reading.header);
    }
    return reading;
}

// Whether the bytes begin as the signature does, as far as they go.
bool may_begin(std::string_view bytes, std::string_view signature) {
    const std::size_t both = std::min(bytes.size(), signature.size());
    return bytes.substr(0, both) == signature.substr(0, both);
}

} // namespace

ProxyReading read_proxy_header(std::string_view bytes, ProxyProtocol expected) {
    const bool any = expected == ProxyProtocol::automatic;
    const bool v1 = (any || expected == ProxyProtocol::v1) && may_begin(bytes, v1_signature);
    const bool v2 = (any || expected == ProxyProtocol::v2) && may_begin(bytes, v2_signature);
    if (!v1 && !v2) return {Kind::absent, 0, {}, ""};
    if (v1 && bytes.size() >= v1_signature.size()) return read_v1(bytes);
    if (v2 && bytes.size() >= v2_signature.size()) return read_v2(bytes);
    return {};
}

} // namespace cppcorn::http

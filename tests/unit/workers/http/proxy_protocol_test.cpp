#include "workers/http/proxy_protocol.hpp"

#include <algorithm>
#include <random>
#include <string>

#include "tests/catch.hpp"

namespace cppcorn::http {
namespace {

using Kind = ProxyReading::Kind;
using Source = ProxyHeader::Source;

constexpr ProxyProtocol each_protocol[] = {ProxyProtocol::v1, ProxyProtocol::v2, ProxyProtocol::automatic};
const std::string v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

bool same(const ProxyReading& a, const ProxyReading& b) {
    return a.kind == b.kind && a.consumed == b.consumed && a.header.source == b.header.source &&
           a.header.address == b.header.address && a.header.port == b.header.port;
}

// The first answer other than "more" to bytes of which `first` arrive at first, then `step` at a time.
ProxyReading arrive(const std::string& bytes, ProxyProtocol expected, std::size_t first, std::size_t step) {
    for (std::size_t size = std::min(first, bytes.size());; size = std::min(size + step, bytes.size())) {
        // A copy, so that a look beyond the end is a look beyond the allocation.
        const std::string arrived = bytes.substr(0, size);
        const ProxyReading reading = read_proxy_header(arrived, expected);
        if (reading.kind != Kind::need_more || size == bytes.size()) return reading;
    }
}

// Whole, byte by byte, and split at random: all have to agree.
ProxyReading read(const std::string& bytes, ProxyProtocol expected = ProxyProtocol::automatic) {
    const ProxyReading whole = read_proxy_header(bytes, expected);
    REQUIRE(same(arrive(bytes, expected, 0, 1), whole));
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
        REQUIRE(same(arrive(bytes, expected, random() % (bytes.size() + 1), 1 + random() % 40), whole));
    }
    return whole;
}

std::string v2(int version_and_command, int family, const std::string& payload, std::size_t length) {
    std::string bytes = v2_signature;
    for (const std::size_t byte :
         {static_cast<std::size_t>(version_and_command), static_cast<std::size_t>(family), length >> 8, length & 0xff})
        bytes += static_cast<char>(byte);
    return bytes + payload;
}

std::string v2(int version_and_command, int family, const std::string& payload) {
    return v2(version_and_command, family, payload, payload.size());
}

const std::string tcp4_payload("\xc0\x00\x02\x01\x7f\x00\x00\x01\x12\x34\x00\x50", 12);

std::string told(const ProxyReading& reading) {
    std::string text;
    for (const auto byte : reading.header.address) text += std::to_string(byte) + ".";
    return text + std::to_string(reading.header.port);
}

constexpr const char* told_192_0_2_1 = "0.0.0.0.0.0.0.0.0.0.255.255.192.0.2.1.";

TEST_CASE("proxy v1: a client's address and port") {
    const std::string line = "PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n";
    for (const std::string& behind : {std::string(), request, std::string("\n\r\nPROXY ")}) {
        const auto reading = read(line + behind);
        REQUIRE(reading.kind == Kind::done);
        CHECK(reading.consumed == line.size());
        CHECK(reading.header.source == Source::client);
        CHECK(told(reading) == std::string(told_192_0_2_1) + "4660");
    }
    const auto v6 = read("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", ProxyProtocol::v1);
    REQUIRE(v6.kind == Kind::done);
    CHECK(told(v6) == "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.65535");
    CHECK(told(read("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 1\r\n")) == std::string(told_192_0_2_1) + "1");
}

TEST_CASE("proxy v1: UNKNOWN tells nothing, whatever follows") {
    for (const char* line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 a b c\r\n", "PROXY UNKNOWN \r\n"}) {
        const auto reading = read(line + request);
        REQUIRE(reading.kind == Kind::done);
        CHECK(reading.header.source == Source::unknown);
        CHECK(reading.consumed == std::string(line).size());
    }
}

TEST_CASE("proxy v1: what is malformed is refused") {
    for (const char* line : {"PROXY \r\n",
                             "PROXY TCP4\r\n",
                             "PROXY TCP5 192.0.2.1 127.0.0.1 1 2\r\n",
                             "PROXY TCP4  192.0.2.1 127.0.0.1 1 2\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 1\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 \r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 1 2 3\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 65536 2\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 -1 2\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 01 2\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 1 x\r\n",
                             "PROXY TCP4 192.0.2.256 127.0.0.1 1 2\r\n",
                             "PROXY TCP4 ::1 ::1 1 2\r\n",
                             "PROXY TCP6 192.0.2.1 127.0.0.1 1 2\r\n",
                             "PROXY TCP4 192.0.2.1 localhost 1 2\r\n",
                             "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\n",
                             "PROXY TCP4 192.0.2.1\r127.0.0.1 1 2\r\n",
                             "PROXY TCP4\t192.0.2.1 127.0.0.1 1 2\r\n",
                             "PROXY UNKNOWNX\r\n",
                             "PROXY tcp4 1.1.1.1 1.1.1.1 1 2\r\n",
                             "PROXY UNKNOWN \x01\r\n",
                             "PROXY UNKNOWN \x7f\r\n"}) {
        INFO(line);
        CHECK(read(line).kind == Kind::refused);
    }
    CHECK(read(std::string("PROXY TCP4 192.0.2.1\0 127.0.0.1 1 2\r\n", 38)).kind == Kind::refused);
}

TEST_CASE("proxy v1: a line has at most 107 bytes") {
    const std::string begin = "PROXY UNKNOWN ";
    const auto line = [&](std::size_t size) { return begin + std::string(size - begin.size() - 2, 'x') + "\r\n"; };
    CHECK(read(line(107) + request).consumed == 107);
    CHECK(read(line(108)).kind == Kind::refused);
    CHECK(read(begin + std::string(200, 'x')).kind == Kind::refused);
    CHECK(read(begin + std::string(92, 'x')).kind == Kind::need_more);
    CHECK(read(begin + std::string(93, 'x')).kind == Kind::refused);
}

TEST_CASE("proxy v2: a client's address and port, and its TLVs skipped") {
    for (const std::string& tlvs : {std::string(), std::string(20, '\xff'), std::string("\x04\x00\x00", 3)}) {
        const std::string header = v2(0x21, 0x11, tcp4_payload + tlvs);
        for (const std::string& behind : {std::string(), request}) {
            const auto reading = read(header + behind, ProxyProtocol::v2);
            REQUIRE(reading.kind == Kind::done);
            CHECK(reading.consumed == header.size());
            CHECK(reading.header.source == Source::client);
            CHECK(told(reading) == std::string(told_192_0_2_1) + "4660");
        }
    }
    const std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" + std::string(16, '\0');
    CHECK(told(read(v2(0x21, 0x21, v6 + std::string("\x00\x07\x00\x08", 4)))) ==
          "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.7");
}

TEST_CASE("proxy v2: LOCAL is the proxy itself, and unix sockets, datagrams and UNSPEC tell nobody") {
    CHECK(read(v2(0x20, 0x00, "") + request).header.source == Source::proxy);
    CHECK(read(v2(0x20, 0x11, tcp4_payload)).header.source == Source::proxy);
    CHECK(read(v2(0x20, 0x77, "abc")).header.source == Source::proxy);
    CHECK(read(v2(0x21, 0x00, "")).header.source == Source::unknown);
    CHECK(read(v2(0x21, 0x00, "abc") + request).consumed == 19);
    CHECK(read(v2(0x21, 0x31, std::string(216, 'x'))).header.source == Source::unknown);
    CHECK(read(v2(0x21, 0x12, tcp4_payload)).header.source == Source::unknown);
}

TEST_CASE("proxy v2: what is malformed is refused") {
    for (const int command : {0x11, 0x22, 0x2f, 0x31, 0x00, 0xff}) {
        CHECK(read(v2(command, 0x11, tcp4_payload)).kind == Kind::refused);
    }
    for (const int family : {0x10, 0x13, 0x41, 0x01, 0xff}) {
        CHECK(read(v2(0x21, family, std::string(300, 'x'))).kind == Kind::refused);
    }
    CHECK(read(v2(0x21, 0x11, tcp4_payload.substr(0, 11))).kind == Kind::refused);
    CHECK(read(v2(0x21, 0x21, std::string(35, 'x'))).kind == Kind::refused);
    CHECK(read(v2(0x21, 0x31, std::string(215, 'x'))).kind == Kind::refused);
}

TEST_CASE("proxy v2: the length is bounded before its bytes are here") {
    CHECK(read(v2(0x21, 0x11, tcp4_payload, 4096)).kind == Kind::need_more);
    CHECK(read(v2(0x21, 0x11, tcp4_payload, 4097)).kind == Kind::refused);
    CHECK(read(v2(0x21, 0x11, tcp4_payload, 65535)).kind == Kind::refused);
    CHECK(read(v2(0x20, 0x00, "", 65535)).kind == Kind::refused);
    CHECK(read(v2(0x21, 0x11, tcp4_payload + std::string(4084, 't')) + request).consumed == 16 + 4096);
}

TEST_CASE("proxy: bytes that begin as no header does are absent, not refused") {
    for (const auto expected : each_protocol) {
        CHECK(read(request, expected).kind == Kind::absent);
        CHECK(read("\r\n\r\nGET / HTTP/1.1\r\n", expected).kind == Kind::absent);
        CHECK(read("PROPFIND / HTTP/1.1\r\n", expected).kind == Kind::absent);
        CHECK(read("PROXY\t", expected).kind == Kind::absent);
        CHECK(read("proxy TCP4 ", expected).kind == Kind::absent);
        CHECK(read("", expected).kind == Kind::need_more);
    }
    CHECK(read("PROX").kind == Kind::need_more);
    CHECK(read("\r\n\r").kind == Kind::need_more);
    CHECK(read(v2_signature).kind == Kind::need_more);
}

TEST_CASE("proxy: only the version that is expected is one") {
    CHECK(read("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n", ProxyProtocol::v2).kind == Kind::absent);
    CHECK(read(v2(0x20, 0, ""), ProxyProtocol::v1).kind == Kind::absent);
    CHECK(read("\r", ProxyProtocol::v1).kind == Kind::absent);
    CHECK(read("P", ProxyProtocol::v2).kind == Kind::absent);
}

} // namespace
} // namespace cppcorn::http

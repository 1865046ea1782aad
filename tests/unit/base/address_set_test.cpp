#include "base/address_set.hpp"

#include <cstring>
#include <stdexcept>

#include <netinet/in.h>
#include <sys/un.h>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using Texts = std::vector<std::string>;

bool holds(const Texts& set, const std::string& address) {
    return AddressSet(set).contains(parse_ip_address(address).value());
}

std::string shown(const std::string& address) {
    IpAddressText text;
    write_ip_address(parse_ip_address(address).value(), text);
    return text;
}

TEST_CASE("an address is in a set that names it, in each of its spellings") {
    CHECK(holds({"127.0.0.1"}, "127.0.0.1"));
    CHECK_FALSE(holds({"127.0.0.1"}, "127.0.0.2"));
    CHECK(holds({"10.0.0.1", "127.0.0.1"}, "127.0.0.1"));
    CHECK(holds({"2001:db8:0:0::1"}, "2001:db8::1"));
    CHECK_FALSE(holds({"::1"}, "0.0.0.1"));
    CHECK_FALSE(holds({}, "127.0.0.1"));
}

TEST_CASE("an IPv4 address equals the IPv6 address it is mapped to") {
    CHECK(holds({"127.0.0.1"}, "::ffff:127.0.0.1"));
    CHECK(holds({"::ffff:127.0.0.1"}, "127.0.0.1"));
    CHECK(holds({"::ffff:10.0.0.0/104"}, "10.9.8.7"));
    CHECK_FALSE(holds({"::ffff:10.0.0.0/104"}, "11.0.0.0"));
    CHECK(shown("::ffff:192.0.2.1") == "192.0.2.1");
    CHECK(shown("2001:DB8:0::1") == "2001:db8::1");
    CHECK(shown("255.255.255.255") == "255.255.255.255");
    CHECK(shown("0.0.0.0") == "0.0.0.0");
}

TEST_CASE("a network holds what begins as it does") {
    CHECK(holds({"10.0.0.0/8"}, "10.255.255.255"));
    CHECK_FALSE(holds({"10.0.0.0/8"}, "11.0.0.0"));
    CHECK(holds({"192.0.2.128/25"}, "192.0.2.128"));
    CHECK_FALSE(holds({"192.0.2.128/25"}, "192.0.2.127"));
    CHECK(holds({"192.0.2.1/32"}, "192.0.2.1"));
    CHECK_FALSE(holds({"192.0.2.1/32"}, "192.0.2.0"));
    CHECK(holds({"2001:db8::/33"}, "2001:db8:7fff::1"));
    CHECK_FALSE(holds({"2001:db8::/33"}, "2001:db8:8000::1"));
    CHECK(holds({"fd00::1/128"}, "fd00::1"));
}

TEST_CASE("a network of one family holds no address of the other") {
    CHECK(holds({"0.0.0.0/0"}, "203.0.113.9"));
    CHECK_FALSE(holds({"0.0.0.0/0"}, "2001:db8::1"));
    CHECK(holds({"::/0"}, "2001:db8::1"));
    CHECK_FALSE(holds({"::/0"}, "203.0.113.9"));
    CHECK_FALSE(holds({"::/80"}, "203.0.113.9"));
}

TEST_CASE("a star holds all") {
    CHECK(holds({"*"}, "203.0.113.9"));
    CHECK(holds({"127.0.0.1, *"}, "2001:db8::1"));
    CHECK(AddressSet({"*"}).holds_all());
    CHECK_FALSE(AddressSet(Texts{"0.0.0.0/0"}).holds_all());
}

TEST_CASE("one text may hold several, and blank ones are none") {
    CHECK(AddressSet({"127.0.0.1, ::1", " 10.0.0.0/8 ", ",", ""}).texts() == Texts{"127.0.0.1", "::1", "10.0.0.0/8"});
}

TEST_CASE("what is no address or network is refused by name") {
    for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8", "/8",
                             "10.0.0", "10.0.0.256", "010.0.0.1", "localhost", "10.0.0.0/8/8", "**", "fe80::1%eth0",
                             "[::1]", "1.2.3.4:80", "10.0.0.0/255.0.0.0", "10.0.0.0/99999999999"}) {
        INFO(text);
        try {
            AddressSet{{text}};
            FAIL("was taken");
        } catch (const std::invalid_argument& error) {
            const std::string expected = "'" + std::string(text) + "' is no address or network; allowed: ";
            CHECK(std::string(error.what()).substr(0, expected.size()) == expected);
        }
    }
}

TEST_CASE("an address within a network is refused, as it may mean either") {
    for (const auto& [text, network] :
         {std::pair{"10.0.0.1/8", "10.0.0.0/8"}, std::pair{"192.0.2.129/25", "192.0.2.128/25"},
          std::pair{"1.2.3.4/0", "0.0.0.0/0"}, std::pair{"2001:db8::1/33", "2001:db8::/33"},
          std::pair{"2001:db8:8000::/32", "2001:db8::/32"}, std::pair{"::1/127", "::/127"},
          std::pair{"::ffff:10.0.0.1/104", "::ffff:10.0.0.0/104"}}) {
        INFO(text);
        const std::string written = text;
        CHECK_THROWS_WITH(AddressSet({written}), "'" + written + "' is an address within a network; write " + network +
                                                     " for the network, " + written.substr(0, written.find('/')) +
                                                     " for the address");
    }
    CHECK(holds({"10.0.0.1/32", "fd00::1/128"}, "10.0.0.1"));
}

TEST_CASE("a socket's address is told, a unix socket's is none") {
    sockaddr_storage storage{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(0x7f000002);
    CHECK(ip_address(storage) == parse_ip_address("127.0.0.2"));
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    CHECK(ip_address(storage) == parse_ip_address("::1"));
    storage.ss_family = AF_UNIX;
    CHECK_FALSE(ip_address(storage).has_value());
}

} // namespace
} // namespace cppcorn

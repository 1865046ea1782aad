#include "base/address_set.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.hpp"

namespace cppcorn {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

IpAddress mapped(const void* v4) {
    IpAddress address;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.begin());
    std::memcpy(address.data() + mapped_prefix.size(), v4, 4);
    return address;
}

[[noreturn]] void refuse(const std::string& text) {
    throw std::invalid_argument("'" + text +
                                "' is no address or network; allowed: an address (192.0.2.1, 2001:db8::1), a network "
                                "(10.0.0.0/8, fd00::/8), or * for all");
}

// Somebody who writes 10.0.0.1/8 may mean one address or the network: only they know.
[[noreturn]] void refuse_bits(const std::string& text, const std::string& network) {
    throw std::invalid_argument("'" + text + "' is an address within a network; write " + network +
                                " for the network, " + text.substr(0, text.find('/')) + " for the address");
}

// The network's bits of the address, and zeros behind them.
IpAddress first_address(IpAddress address, unsigned bits) {
    for (std::size_t i = 0; i < address.size(); ++i, bits -= std::min(bits, 8u)) {
        address[i] = static_cast<std::uint8_t>(address[i] & (0xff00 >> std::min(bits, 8u)));
    }
    return address;
}

std::string show(const IpAddress& address, bool as_v4) {
    IpAddressText text = "";
    if (as_v4) {
        write_ip_address(address, text);
    } else {
        ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
    }
    return text;
}

} // namespace

bool is_ipv4(const IpAddress& address) {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.begin());
}

std::optional<IpAddress> ip_address(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) return mapped(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
    if (address.ss_family != AF_INET6) return std::nullopt;
    IpAddress found;
    std::memcpy(found.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, found.size());
    return found;
}

std::optional<IpAddress> parse_ip_address(const std::string& text) {
    if (text.find('\0') != std::string::npos) return std::nullopt;
    in_addr v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return mapped(&v4);
    IpAddress v6;
    if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
    return std::nullopt;
}

void write_ip_address(const IpAddress& address, IpAddressText& text) {
    static_assert(sizeof text >= INET6_ADDRSTRLEN);
    if (!is_ipv4(address)) {
        ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
        return;
    }
    char* at = text; // by hand: inet_ntop takes a fifth of the time of a connection that makes one request
    for (std::size_t i = mapped_prefix.size(); i < address.size(); ++i) {
        if (at != text) *at++ = '.';
        at = std::to_chars(at, std::end(text), address[i]).ptr;
    }
    *at = '\0';
}

AddressSet::AddressSet(const std::vector<std::string>& texts) : texts_(split_elements(texts)) {
    for (const auto& text : texts_) {
        if (text == "*") {
            holds_all_ = true;
        } else {
            networks_.push_back(parse_network(text));
        }
    }
}

AddressSet::Network AddressSet::parse_network(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string host = text.substr(0, slash);
    const auto address = parse_ip_address(host);
    if (!address) refuse(text);
    if (slash == std::string::npos) return {*address, 128};
    const bool written_as_v4 = host.find(':') == std::string::npos;
    const auto bits = parse_number<unsigned>(std::string_view(text).substr(slash + 1));
    if (!bits || *bits > (written_as_v4 ? 32u : 128u)) refuse(text);
    const Network network{*address, written_as_v4 ? *bits + mapped_bits : *bits};
    const IpAddress first = first_address(network.address, network.bits);
    if (first != network.address) refuse_bits(text, show(first, written_as_v4) + text.substr(slash));
    return network;
}

bool AddressSet::Network::contains(const IpAddress& other) const {
    if (bits < mapped_bits && is_ipv4(other)) return false;
    const std::size_t whole = bits / 8;
    if (!std::equal(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(whole), address.begin())) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (other[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool AddressSet::contains(const IpAddress& address) const {
    if (holds_all_) return true;
    return std::any_of(networks_.begin(), networks_.end(),
                       [&](const Network& network) { return network.contains(address); });
}

} // namespace cppcorn

// A set of IP addresses and networks, as settings name those who are trusted: 127.0.0.1, 10.0.0.0/8, ::1, *.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace cppcorn {

// An IPv4 address is kept as the IPv6 address it is mapped to (RFC 4291, 2.5.5.2), so that both spellings are equal.
using IpAddress = std::array<std::uint8_t, 16>;

bool is_ipv4(const IpAddress& address);
// nullopt for a unix socket, which has no IP address.
std::optional<IpAddress> ip_address(const sockaddr_storage& address);
// nullopt if the text is not an IP address.
std::optional<IpAddress> parse_ip_address(const std::string& text);
// As zero-terminated text, "192.0.2.1" for mapped ones, too.
using IpAddressText = char[46];
void write_ip_address(const IpAddress& address, IpAddressText& text);

class AddressSet {
  public:
    AddressSet() = default;
    // Each text may hold several, with commas between them. Throws std::invalid_argument with a message for the user.
    explicit AddressSet(const std::vector<std::string>& texts);

    // A network of one family holds no address of the other: ::/0 is not *.
    bool contains(const IpAddress& address) const;
    bool holds_all() const { return holds_all_; } // *
    // One for each element, as written.
    const std::vector<std::string>& texts() const { return texts_; }

  private:
    struct Network {
        IpAddress address;
        unsigned bits; // of the mapped form: 10.0.0.0/8 has 104
        bool contains(const IpAddress& other) const;
    };

    static Network parse_network(const std::string& text);

    std::vector<Network> networks_;
    std::vector<std::string> texts_;
    bool holds_all_ = false;
};

} // namespace cppcorn

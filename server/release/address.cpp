#include "server/release/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

#include <arpa/inet.h>
#include <sys/un.h>

namespace cppcorn {
namespace {

constexpr std::size_t longest_unix_path = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw std::invalid_argument("'" + std::string(text) + "' " + why);
}

[[noreturn]] void refuse_form(std::string_view text) {
    refuse(text, "is not an address; allowed: HOST, HOST:PORT, :PORT, [V6]:PORT, unix:PATH, fd://N");
}

bool consume(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty() || text.front() == '-') return {};
    return number;
}

std::uint16_t parse_port(std::string_view whole, std::string_view port) {
    const auto number = whole_number<std::uint16_t>(port);
    if (!number) refuse(whole, "has no valid port; allowed: a whole number from 0 to 65535");
    return *number;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_host_character(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

// A host of digits and dots can only be meant as an IPv4 address; resolvers take "8000" or "1.2" for odd ones.
bool is_valid_host(const std::string& host) {
    if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_character)) return false;
    if (!std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; })) return true;
    in_addr address;
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_valid_v6(const std::string& host) {
    in6_addr address;
    return ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &address) == 1;
}

BindAddress parse_unix(std::string_view whole, std::string_view path) {
    consume(path, "//");
    if (path.empty() || path == "@") refuse(whole, "has no path; write it as unix:PATH");
    if (path.size() > longest_unix_path) {
        refuse(whole, "is too long; a unix socket's path has " + std::to_string(longest_unix_path) + " bytes at most");
    }
    BindAddress address;
    address.kind = BindAddress::Kind::unix_path;
    address.port = 0;
    address.path = path;
    return address;
}

BindAddress parse_fd(std::string_view whole, std::string_view number) {
    const auto fd = whole_number<int>(number);
    if (!fd) refuse(whole, "has no valid descriptor; write it as fd://N");
    BindAddress address;
    address.kind = BindAddress::Kind::inherited_fd;
    address.port = 0;
    address.fd = *fd;
    return address;
}

BindAddress parse_tcp6(std::string_view whole, std::string_view text, std::uint16_t usual_port) {
    const auto closing = text.find(']');
    if (closing == std::string_view::npos) refuse_form(whole);
    BindAddress address;
    address.kind = BindAddress::Kind::tcp6;
    address.port = usual_port;
    address.host = text.substr(1, closing - 1);
    if (!is_valid_v6(address.host)) refuse(whole, "has no valid IPv6 address between its brackets");
    text.remove_prefix(closing + 1);
    if (text.empty()) return address;
    if (!consume(text, ":")) refuse_form(whole);
    address.port = parse_port(whole, text);
    return address;
}

BindAddress parse_tcp4(std::string_view whole, std::string_view text, std::uint16_t usual_port) {
    if (std::count(text.begin(), text.end(), ':') > 1) {
        if (is_valid_v6(std::string(text))) refuse(whole, "is IPv6; write it in brackets: [" + std::string(text) + "]");
        refuse_form(whole);
    }
    const auto colon = text.find(':');
    BindAddress address;
    address.port = usual_port;
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        address.port = parse_port(whole, text.substr(colon + 1));
        if (address.host.empty()) address.host = "0.0.0.0";
    }
    if (!is_valid_host(address.host)) refuse_form(whole);
    if (address.host == "unix") refuse(whole, "has no path; write it as unix:PATH"); // "unix:80" would be a path
    return address;
}

BindAddress parse(std::string_view text, std::uint16_t usual_port) {
    std::string_view rest = text;
    if (rest.find('\0') != std::string_view::npos) refuse_form("");
    if (consume(rest, "unix:")) return parse_unix(text, rest);
    if (consume(rest, "fd://")) return parse_fd(text, rest);
    consume(rest, "tcp://");
    return rest.substr(0, 1) == "[" ? parse_tcp6(text, rest, usual_port) : parse_tcp4(text, rest, usual_port);
}

} // namespace

std::string BindAddress::text() const {
    const bool is_tcp = kind == Kind::tcp4 || kind == Kind::tcp6;
    return is_tcp ? "http://" + setting() : setting();
}

std::string BindAddress::setting() const {
    switch (kind) {
        case Kind::tcp4:
            return host + ":" + std::to_string(port);
        case Kind::tcp6:
            return "[" + host + "]:" + std::to_string(port);
        case Kind::unix_path:
            return (path.substr(0, 2) == "//" ? "unix://" : "unix:") + path;
        case Kind::inherited_fd:
            return "fd://" + std::to_string(fd);
    }
    return {};
}

BindAddress parse_bind(std::string_view text) {
    constexpr std::uint16_t usual_port = 8000;
    return parse(text, usual_port);
}

BindAddress parse_statsd(std::string_view text) {
    constexpr std::uint16_t usual_port = 8125;
    BindAddress address = parse(text, usual_port);
    const bool is_unix = address.kind == BindAddress::Kind::unix_path;
    if (address.kind == BindAddress::Kind::inherited_fd || (!is_unix && address.port == 0)) {
        refuse(text, "is nowhere to send to; allowed: HOST, HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME");
    }
    return address;
}

} // namespace cppcorn

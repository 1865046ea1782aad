// What the oracle takes for a host (RFC 3986, 3.2.2).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <arpa/inet.h>

#include "tests/unit/workers/http/oracle_text.hpp"

namespace oracle {

inline bool is_name_char(char c) {
    return is_letter(c) || is_digit(c) || one_of(c, "-._~!$&'()*+,;=");
}

inline void judge_reg_name(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_name_char(text[i])) continue;
        require(text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]), "a host name");
        i += 2;
    }
}

inline void judge_ip_literal(std::string_view text, bool& deviates) {
    in6_addr address;
    if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1) {
        return require(text.find('\0') == std::string_view::npos, "an IPv6 address has no NUL");
    }
    const std::size_t dot = text.find('.');
    const bool future = text.size() > 1 && lower(text.substr(0, 1)) == "v" && dot != std::string_view::npos && dot > 1;
    require(future && all(text.substr(1, dot - 1), is_hex) && dot + 1 < text.size(), "an IPv6 address");
    require(all(text.substr(dot + 1), [](char c) { return is_name_char(c) || c == ':'; }), "an IP address to come");
    deviates = true;
}

// uri-host [ ":" port ]: RFC 3986, 3.2.2
inline void judge_host(std::string_view text, bool& deviates) {
    std::size_t end = text.find(':');
    if (!text.empty() && text[0] == '[') {
        end = text.find(']');
        require(end != std::string_view::npos, "] after [");
        judge_ip_literal(text.substr(1, end - 1), deviates);
        ++end;
    } else {
        judge_reg_name(text.substr(0, end));
        end = std::min(end, text.size());
    }
    const std::string_view port = text.substr(end);
    if (!port.empty()) require(port[0] == ':' && all(port.substr(1), is_digit), "a port is digits");
}

} // namespace oracle

// Where to listen, as written in a bind setting. Parsing only: names are resolved and sockets made elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cppcorn {

struct BindAddress {
    // A name ("localhost") counts as tcp4 until it is resolved.
    enum class Kind { tcp4, tcp6, unix_path, inherited_fd };

    Kind kind = Kind::tcp4;
    std::string host; // tcp4, tcp6; without brackets
    std::uint16_t port = 8000;
    std::string path; // unix_path; "@x" for a name without a file (an abstract socket)
    int fd = -1;      // inherited_fd

    bool is_abstract() const { return kind == Kind::unix_path && path.substr(0, 1) == "@"; }

    // For "Listening at": http://127.0.0.1:8000, http://[::1]:8000, unix:/path, fd://3
    std::string text() const;
    // As parse_bind() takes it.
    std::string setting() const;

    bool operator==(const BindAddress&) const = default;
};

// HOST (port 8000), HOST:PORT, :PORT (all IPv4 addresses), [V6], [V6]:PORT, unix:PATH, unix:@NAME, fd://N. "tcp://" may stand in
// front of a host and "//" in front of a path. Throws std::invalid_argument with one line that says what is allowed.
BindAddress parse_bind(std::string_view text);

// Where to send to: HOST (port 8125), HOST:PORT, [V6], [V6]:PORT, unix:PATH, unix:@NAME. Throws as parse_bind().
BindAddress parse_statsd(std::string_view text);

} // namespace cppcorn

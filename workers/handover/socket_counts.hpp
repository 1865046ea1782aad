// How many bytes have gone through a client's socket in truth, whatever the process that held it has noted.
#pragma once

#include <cstdint>
#include <optional>

namespace cppcorn {

struct SocketCounts {
    std::uint64_t received; // bytes that were read from it, ever
    std::uint64_t sent;     // bytes that the kernel has taken to send
};

// nullopt where the kernel does not say: no TCP. Async-signal-safe.
std::optional<SocketCounts> counts_of(int socket);

// It is a connection, and not a listener or anything else. Async-signal-safe.
bool is_connection(int fd);
bool is_listener(int fd);
// Two connections, or a connection and a listener, have the same address at our end. Async-signal-safe.
bool is_same_end(int one, int other);

} // namespace cppcorn

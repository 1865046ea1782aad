// A listening socket as a worker sees it. The master owns the descriptor; the worker has the fork's copy of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace cppcorn {

struct ListeningSocket {
    int fd = -1;
    std::string server_name;       // its address, or the unix socket's path
    std::uint16_t server_port = 0; // 0 on a unix socket
    bool outlives_service = false; // it was passed on to us: whoever did that goes on listening
    std::optional<uid_t> owner{};  // of a unix socket that is for that user and root alone
};

} // namespace cppcorn

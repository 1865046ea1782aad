// What is known of the listening socket that a connection came by. It goes with the connection to workers that do not
// have that listener, so it is plain data.
#pragma once

#include <cstdint>

namespace cppcorn {

struct ListenerFacts {
    char server_name[112]; // ends with a zero byte; a longer one is cut
    std::uint16_t server_port;
    std::uint8_t outlives_service;
    std::uint8_t reserved;
};

} // namespace cppcorn

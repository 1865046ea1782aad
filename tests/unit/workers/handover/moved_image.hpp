// A connection to be moved in tests: an image, the text and files that it shows, and how to read it again.
#pragma once

#include <cstring>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "workers/handover/connection_image.hpp"

namespace cppcorn {

struct SocketPair {
    SocketPair() {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) throw 0;
        ours.reset(fds[0]);
        clients.reset(fds[1]);
    }
    UniqueFd ours;
    UniqueFd clients;
};

inline ConnectionImage idle_image(int socket) {
    ConnectionImage image;
    image.record.phase = SeatPhase::idle;
    image.record.port = 4711;
    image.record.flags = Seat::answered_any;
    image.record.deadline = 123'456'789;
    std::strcpy(image.record.address, "192.0.2.1");
    std::strcpy(image.record.listener.server_name, "127.0.0.1");
    image.record.listener.server_port = 8000;
    image.socket = socket;
    return image;
}

} // namespace cppcorn

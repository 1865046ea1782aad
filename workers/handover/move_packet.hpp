// Where a message from the queue is received to. In memory that a worker shares with its understudy, nothing of a message
// is lost with the worker: the kernel has written all of it before anybody can know that it was taken.
#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include <sys/socket.h>

#include "workers/handover/move_message.hpp"

namespace cppcorn {

// Zero bytes: nothing was received.
struct MovePacket {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * MoveMessage::most_descriptors)];
    char bytes[MoveMessage::largest_packet];

    // For the next message.
    void clear() {
        std::memset(control, 0, sizeof control);
        std::memset(bytes, 0, sizeof(ConnectionRecord::version));
    }
};

// The descriptors that came with a message.
struct PacketDescriptors {
    // There is room for one more than a message may have.
    std::array<int, (sizeof(MovePacket::control) - CMSG_LEN(0)) / sizeof(int)> numbers{};
    int count = 0;
};

// Of what was received to `packet`. Async-signal-safe.
PacketDescriptors descriptors_of(const MovePacket& packet);
// The bytes of a message whose size was not told: those that its record speaks of.
std::string_view bytes_of(const MovePacket& packet);

} // namespace cppcorn

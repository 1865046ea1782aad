#include "workers/handover/move_packet.hpp"

namespace cppcorn {

PacketDescriptors descriptors_of(const MovePacket& packet) {
    PacketDescriptors descriptors;
    cmsghdr header{};
    std::memcpy(&header, packet.control, sizeof header);
    const bool are_there = header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS &&
                           header.cmsg_len >= CMSG_LEN(0) && header.cmsg_len <= sizeof packet.control;
    if (!are_there) return descriptors;
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(descriptors.numbers.data(), packet.control + CMSG_LEN(0), count * sizeof(int));
    descriptors.count = static_cast<int>(count);
    return descriptors;
}

std::string_view bytes_of(const MovePacket& packet) {
    ConnectionRecord record;
    std::memcpy(&record, packet.bytes, sizeof record);
    std::size_t size = 0;
    for (const auto each : record.section_sizes) size += each;
    return {packet.bytes, sizeof record + (size <= MoveMessage::most_inline ? size : 0)};
}

} // namespace cppcorn

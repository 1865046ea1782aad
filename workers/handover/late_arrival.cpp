#include "workers/handover/late_arrival.hpp"

#include "workers/handover/open_list.hpp"
#include "workers/handover/socket_counts.hpp"

namespace cppcorn {

void LateArrival::find(const WorkerMemory& memory, bool (*is_seat)(int fd)) {
    is_seat_ = is_seat;
    switch (memory.notes().arrival.load()) {
        case Arrival::accepted:
            return find_accepted();
        case Arrival::moved:
            return find_moved(memory.packet());
        case Arrival::none:
            break;
    }
}

bool LateArrival::is_ours(int fd, ConnectionRecord& record) const {
    return !is_seat_(fd) && is_connection(fd) && tell_(fd, record);
}

// Only one can be on its way: the one before was closed, or got its seat.
void LateArrival::find_accepted() {
    const auto look = [](void* self, int fd) {
        LateArrival& arrival = *static_cast<LateArrival*>(self);
        ConnectionImage image;
        if (!arrival.is_ours(fd, image.record)) return true;
        arrival.message_.record = record_to_write(image, ConnectionRecord::current_version);
        arrival.descriptors_.numbers[0] = fd;
        arrival.descriptors_.count = 1;
        return false;
    };
    for_each_open(look, this);
}

void LateArrival::find_moved(const MovePacket& packet) {
    packet_ = packet;
    const PacketDescriptors descriptors = descriptors_of(packet_);
    if (descriptors.count == 0 || message_.read(bytes_of(packet_), descriptors.count) != nullptr) return;
    ConnectionRecord record;
    if (is_ours(descriptors.numbers[0], record)) descriptors_ = descriptors;
}

MoveQueue::Put LateArrival::put(const MoveQueue& queue) const {
    return queue.put(message_, descriptors());
}

} // namespace cppcorn

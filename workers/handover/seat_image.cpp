#include "workers/handover/seat_image.hpp"

#include <cstring>

#include "workers/handover/move_message.hpp"

namespace cppcorn {

bool read_range(const WorkerMemory& memory, ArenaRange range, std::string_view& bytes) {
    const std::size_t size = memory.arena().size();
    if (range.offset > size || range.size > size - range.offset) return false;
    bytes = {memory.arena().at(range.offset), range.size};
    return true;
}

bool read_parked(const WorkerMemory& memory, std::uint32_t offset, ConnectionImage& image) {
    ParkedRequest parked; // a copy: what is checked is what is used
    std::string_view bytes;
    if (!read_range(memory, {offset, sizeof parked}, bytes)) return false;
    std::memcpy(&parked, bytes.data(), sizeof parked);
    if (parked.state.file_count > RequestState::most_files) return false;
    for (int i = 0; i < section_count; ++i) {
        if (!read_range(memory, parked.sections[i], image.sections[i])) return false;
    }
    image.record.request = parked.state;
    image.body_file = parked.state.has_body_file() ? parked.state.body_fd : -1;
    for (int i = 0; i < parked.state.file_count; ++i) image.output_files[i] = parked.state.files[i].fd;
    return true;
}

bool image_of(const WorkerMemory& memory, int fd, ConnectionImage& image) {
    const Seat* const shared = memory.seat(fd);
    return shared != nullptr && image_of(memory, fd, shared->parked, image);
}

bool image_of(const WorkerMemory& memory, int fd, std::uint32_t parked, ConnectionImage& image) {
    const Seat* const shared = memory.seat(fd);
    if (shared == nullptr || shared->generation.load(std::memory_order_acquire) == 0) return false;
    image = {};
    image.socket = fd;
    ConnectionRecord& record = image.record;
    const ListenerFacts* const facts = memory.facts(shared->facts);
    if (facts == nullptr) return false;
    record.listener = *facts;
    std::memcpy(record.address, shared->address, sizeof record.address);
    record.port = shared->port;
    record.flags = shared->flags;
    record.phase = shared->phase.load(std::memory_order_acquire);
    record.deadline = shared->deadline;
    record.began = shared->began;
    record.passed = shared->passed;
    record.received = shared->received;
    record.sent = shared->sent;
    if (parked != 0 && !read_parked(memory, parked, image)) return false;
    return fault_of(record_to_write(image, ConnectionRecord::current_version)) == nullptr;
}

} // namespace cppcorn

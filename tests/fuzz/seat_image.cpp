// A seat, and what it says of a request, in memory that a worker may have written anything to: an image is within that
// memory, or there is none.
#include "workers/handover/seat_image.hpp"

#include <algorithm>
#include <cstring>

#include "tests/fuzz/fuzz_input.hpp"

using namespace cppcorn;

namespace {

constexpr std::size_t arena_size = 1 << 16;
constexpr int fd = 3;

// Sizes of zero come with any offset.
void check(const WorkerMemory& memory, std::string_view bytes) {
    if (bytes.empty()) return;
    const bool is_within =
        memory.arena().contains(bytes.data()) && memory.arena().contains(bytes.data() + bytes.size() - 1);
    fuzz::require(is_within, "an image is beyond the memory");
    volatile char last = bytes.back();
    static_cast<void>(last);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static WorkerMemory memory(8, arena_size);
    static char* const block = static_cast<char*>(memory.arena().allocate(arena_size / 2));
    Seat* const seat = memory.seat(fd);
    FuzzedDataProvider choices(data, size);
    const std::string of_seat = choices.ConsumeBytesAsString(sizeof(Seat));
    const std::string of_arena = choices.ConsumeRemainingBytesAsString().substr(0, arena_size / 2);
    std::memset(static_cast<void*>(seat), 0, sizeof *seat);
    std::memset(block, 0, sizeof(ParkedRequest));
    std::memcpy(static_cast<void*>(seat), of_seat.data(), of_seat.size());
    std::memcpy(block, of_arena.data(), of_arena.size());
    ConnectionImage image;
    if (!image_of(memory, fd, image)) return 0;
    for (const auto section : image.sections) check(memory, section);
    fuzz::require(image.socket == fd, "the image is another descriptor's");
    fuzz::require(image.record.request.file_count <= RequestState::most_files, "it has more files than there can be");
    return 0;
}

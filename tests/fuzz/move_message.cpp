// A connection's message from another worker, which may be anything: what is taken for one has all its parts within
// itself.
#include "workers/handover/move_message.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "workers/handover/moved_connection.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cppcorn;
    FuzzedDataProvider choices(data, size);
    const int descriptors = choices.ConsumeIntegralInRange<int>(0, MoveMessage::most_descriptors);
    const std::string packet = choices.ConsumeRemainingBytesAsString();
    MoveMessage message;
    if (message.read(packet, descriptors) != nullptr) return 0;
    fuzz::require(message.descriptor_count() == descriptors, "it takes another number of descriptors");
    fuzz::require(message.size() <= MoveMessage::most_bytes, "it is larger than any");
    fuzz::require(message.bytes.size() == (message.bytes_in_file ? 0 : message.size()), "it takes other bytes");
    MovedConnection moved;
    moved.record = message.record;
    moved.bytes = message.bytes_in_file ? std::string(std::min<std::size_t>(message.size(), 1 << 20), 'x')
                                        : std::string(message.bytes);
    if (moved.bytes.size() < message.size()) return 0;
    std::size_t taken = 0;
    for (int i = 0; i < section_count; ++i) taken += moved.section(static_cast<Section>(i)).size();
    fuzz::require(taken == message.size(), "its sections are not all of it");
    fuzz::require(std::string_view(moved.record.address).size() < sizeof moved.record.address,
                  "its address has no end");
    return 0;
}

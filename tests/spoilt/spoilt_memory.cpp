#include "tests/spoilt/spoilt_memory.hpp"

#include <algorithm>
#include <cstring>

namespace cppcorn::spoilt {
namespace {

constexpr std::uint32_t parked_room = 4096; // of the arena, in which requests are parked here

ArenaRange some_range(const WorkerMemory& memory, Choices& choices) {
    const auto size = static_cast<std::uint32_t>(memory.arena().size());
    switch (choices.below(6)) {
        case 0:
            return {choices.any(), choices.any()};
        case 1:
            return {size - choices.below(8), choices.below(16)};
        case 2:
            return {};
        default:
            const std::uint32_t offset = choices.below(size);
            return {offset, choices.below(std::min(size - offset, 300U))};
    }
}

ArenaRange right_range(const WorkerMemory& memory, Choices& choices) {
    const auto size = static_cast<std::uint32_t>(memory.arena().size());
    return {choices.below(size - 1000), choices.below(1000)};
}

int some_descriptor(std::span<const int> descriptors, Choices& choices) {
    return choices.below(8) == 0 ? static_cast<int>(choices.any()) : choices.one_of(descriptors);
}

void flip_bytes(void* begin, std::size_t size, Choices& choices) {
    auto* const bytes = static_cast<unsigned char*>(begin);
    for (std::uint32_t count = 1 + choices.below(8); count > 0; --count) {
        bytes[choices.below(static_cast<std::uint32_t>(size))] = static_cast<unsigned char>(choices.below(256));
    }
}

void write_noise(void* begin, std::size_t size, Choices& choices) {
    auto* const bytes = static_cast<unsigned char*>(begin);
    const std::size_t from = choices.below(static_cast<std::uint32_t>(size));
    const std::size_t to = std::min(size, from + 1 + choices.below(400));
    for (std::size_t i = from; i < to; ++i) bytes[i] = static_cast<unsigned char>(choices.below(256));
}

template <class T>
void maybe(T& field, T value, Choices& choices) {
    if (choices.below(3) == 0) field = value;
}

// A request that is right, or nearly.
std::uint32_t forge_parked(WorkerMemory& memory, std::span<const int> descriptors, Choices& choices) {
    const std::uint32_t offset = choices.below(parked_room);
    ParkedRequest parked{};
    for (auto& section : parked.sections) {
        if (choices.coin()) section = choices.coin() ? right_range(memory, choices) : some_range(memory, choices);
    }
    RequestState& state = parked.state;
    state.stage = static_cast<Stage>(choices.below(choices.coin() ? 6 : 256));
    state.ending = static_cast<Ending>(choices.below(choices.coin() ? 4 : 256));
    state.flags = static_cast<std::uint8_t>(choices.below(choices.coin() ? 64 : 256));
    state.body_fd = some_descriptor(descriptors, choices);
    state.file_count = static_cast<std::uint8_t>(choices.below(choices.coin() ? 3 : 256));
    for (auto& file : state.files) {
        file = {choices.below(1000), 1 + choices.below(100000), choices.below(10),
                some_descriptor(descriptors, choices)};
        if (choices.below(4) == 0) file.left = std::uint64_t{choices.any()} << 32;
        if (choices.below(4) == 0) file.offset = static_cast<std::int64_t>(std::uint64_t{choices.any()} << 32);
    }
    std::memcpy(const_cast<char*>(memory.arena().at(offset)), &parked, sizeof parked);
    return offset;
}

// Somebody sits there, who was never there.
std::uint32_t forge_seat(WorkerMemory& memory, int fd, std::span<const int> descriptors, Choices& choices) {
    Seat* const seat = memory.seat(fd);
    if (seat == nullptr) return choices.any();
    if (seat->generation == 0 || choices.below(4) == 0) seat->generation = 1 + choices.below(20);
    seat->phase = static_cast<SeatPhase>(choices.below(choices.coin() ? 7 : 256));
    seat->flags = static_cast<std::uint8_t>(choices.below(16));
    seat->facts = static_cast<std::uint8_t>(choices.below(choices.coin() ? 2 : 256));
    if (choices.coin()) seat->parked = forge_parked(memory, descriptors, choices);
    maybe(seat->received, std::uint64_t{choices.any()} << choices.below(33), choices);
    maybe(seat->sent, std::uint64_t{choices.any()} << choices.below(33), choices);
    return seat->generation;
}

void forge_desk(WorkerMemory& memory, std::span<const int> descriptors, Choices& choices) {
    DeskPicture picture{};
    picture.fd = some_descriptor(descriptors, choices);
    picture.generation = forge_seat(memory, picture.fd, descriptors, choices);
    picture.phase = static_cast<DeskPhase>(choices.below(choices.below(4) != 0 ? 5 : 256));
    picture.is_head_request = choices.coin();
    picture.ending = static_cast<Ending>(choices.below(4));
    if (choices.coin()) picture.parked = forge_parked(memory, descriptors, choices);
    picture.input = choices.coin() ? right_range(memory, choices) : some_range(memory, choices);
    picture.output = choices.coin() ? right_range(memory, choices) : some_range(memory, choices);
    picture.input_room = choices.coin() ? choices.below(5000) : choices.any();
    const Seat* const seat = memory.seat(picture.fd);
    picture.received = choices.coin() && seat != nullptr ? seat->received : choices.any();
    picture.sent = choices.coin() && seat != nullptr ? seat->sent : choices.any();
    memory.desk().show(picture);
    if (choices.coin()) memory.desk().set_deadline(choices.any());
    if (choices.below(4) == 0) memory.desk().note_sent(choices.any());
}

void forge_notes(WorkerMemory& memory, std::span<const int> descriptors, Choices& choices) {
    WorkerNotes& notes = memory.notes();
    const ArenaRange range = choices.coin() ? right_range(memory, choices) : some_range(memory, choices);
    notes.log_lines = std::uint64_t{range.offset} << 32 | range.size;
    notes.log_fd = choices.one_of(descriptors) + (choices.coin() ? 1 : 0);
    for (auto& other : notes.others) {
        if (choices.coin()) other = some_descriptor(descriptors, choices);
    }
    notes.is_quiet = choices.coin();
}

} // namespace

void spoil(WorkerMemory& memory, std::span<const int> descriptors, Choices& choices) {
    // All of it but the arena is one mapping, with the desk at its beginning and the seats at its end.
    void* const begin = &memory.desk();
    const auto size = static_cast<std::size_t>(reinterpret_cast<char*>(memory.seat(memory.seat_count() - 1) + 1) -
                                               static_cast<char*>(begin));
    for (std::uint32_t count = 1 + choices.below(4); count > 0; --count) {
        switch (choices.below(7)) {
            case 0:
                flip_bytes(begin, size, choices);
                break;
            case 1:
                write_noise(begin, size, choices);
                break;
            case 2:
                flip_bytes(&memory.desk(), sizeof(Desk), choices);
                break;
            case 3:
                write_noise(const_cast<char*>(memory.arena().at(0)), memory.arena().size(), choices);
                break;
            case 4:
                forge_seat(memory, choices.one_of(descriptors), descriptors, choices);
                break;
            case 5:
                forge_desk(memory, descriptors, choices);
                break;
            case 6:
                forge_notes(memory, descriptors, choices);
                break;
        }
    }
}

} // namespace cppcorn::spoilt

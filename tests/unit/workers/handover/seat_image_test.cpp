#include "workers/handover/seat_image.hpp"

#include <cstring>
#include <random>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

constexpr std::size_t arena_size = 1 << 16;

// Somebody sits at 3, and has sent half of a head.
struct OneSeat {
    OneSeat() {
        Seat& seat = at(3);
        seat.facts = static_cast<std::uint8_t>(memory.row_of({"127.0.0.1", 8000, 0, 0}));
        std::strcpy(seat.address, "192.0.2.1");
        seat.phase = SeatPhase::head;
        seat.generation = 7;
        auto* const block = static_cast<char*>(memory.arena().allocate(1024));
        std::memcpy(block, "GET /", 5);
        parked = static_cast<ParkedRequest*>(memory.arena().allocate(sizeof(ParkedRequest)));
        *parked = {};
        parked->state.stage = Stage::head;
        const auto offset = static_cast<std::uint32_t>(memory.arena().offset_of(block));
        parked->sections[static_cast<int>(Section::input)] = {offset, 5};
        seat.parked = static_cast<std::uint32_t>(memory.arena().offset_of(parked));
    }
    Seat& at(int fd) {
        Seat* const seat = memory.seat(fd);
        if (seat == nullptr) throw std::out_of_range("no seat");
        return *seat;
    }
    bool is_told() {
        ConnectionImage image;
        return image_of(memory, 3, image);
    }

    WorkerMemory memory{8, arena_size};
    ParkedRequest* parked;
};

} // namespace

TEST_CASE("a seat tells its connection") {
    OneSeat world;
    ConnectionImage image;
    REQUIRE(image_of(world.memory, 3, image));
    CHECK(image.socket == 3);
    CHECK(image.record.phase == SeatPhase::head);
    CHECK(std::string(image.record.address) == "192.0.2.1");
    CHECK(std::string(image.record.listener.server_name) == "127.0.0.1");
    CHECK(image.sections[static_cast<int>(Section::input)] == "GET /");
}

TEST_CASE("a descriptor whose seat nobody has is told by none") {
    OneSeat world;
    ConnectionImage image;
    for (const int fd : {-1, 0, 2, 4, 7, 8, 1'000'000}) CHECK_FALSE(image_of(world.memory, fd, image));
}

TEST_CASE("a seat that makes no sense tells nothing") {
    OneSeat world;
    REQUIRE(world.is_told());
    Seat& seat = world.at(3);
    SECTION("no listener") {
        seat.facts = WorkerMemory::most_facts;
    }
    SECTION("no phase") {
        seat.phase = static_cast<SeatPhase>(9);
    }
    SECTION("a phase that is nobody's") {
        seat.phase = SeatPhase::empty;
    }
    SECTION("flags") {
        seat.flags = 0xf0;
    }
    SECTION("an address without an end") {
        std::memset(seat.address, '1', sizeof seat.address);
    }
    SECTION("what is none") {
        std::strcpy(seat.address, "x");
    }
    SECTION("a request beyond the arena") {
        seat.parked = arena_size;
    }
    SECTION("a request across its end") {
        seat.parked = arena_size - 8;
    }
    SECTION("a request far away") {
        seat.parked = UINT32_MAX;
    }
    SECTION("bytes beyond the arena") {
        world.parked->sections[0] = {arena_size + 1, 0};
    }
    SECTION("bytes across its end") {
        world.parked->sections[4] = {arena_size - 1, 2};
    }
    SECTION("more bytes than a number holds") {
        world.parked->sections[1] = {8, UINT32_MAX - 4};
    }
    SECTION("too many files") {
        world.parked->state.file_count = 3;
    }
    SECTION("a file behind the output") {
        world.parked->state.file_count = 1;
        world.parked->state.files[0] = {0, 1, 1, 5};
    }
    CHECK_FALSE(world.is_told());
}

TEST_CASE("whatever stands in the memory, an image is within it") {
    OneSeat world;
    std::mt19937 random(4711);
    const Seat& seat = world.at(3);
    std::string seat_before(reinterpret_cast<const char*>(&seat), sizeof seat);
    const ParkedRequest parked_before = *world.parked;
    for (int round = 0; round < 200'000; ++round) {
        std::memcpy(static_cast<void*>(&world.at(3)), seat_before.data(), seat_before.size());
        *world.parked = parked_before;
        for (unsigned i = 0; i <= random() % 4; ++i) {
            const bool in_seat = random() % 2 == 0;
            char* const bytes = in_seat ? reinterpret_cast<char*>(&world.at(3)) : reinterpret_cast<char*>(world.parked);
            const std::size_t size = in_seat ? sizeof(Seat) : sizeof(ParkedRequest);
            bytes[random() % size] = static_cast<char>(random());
        }
        ConnectionImage image;
        if (!image_of(world.memory, 3, image)) continue;
        std::size_t sum = 0;
        for (const auto section : image.sections) {
            if (section.empty()) continue;
            REQUIRE(world.memory.arena().contains(section.data()));
            REQUIRE(world.memory.arena().contains(section.data() + section.size() - 1));
            for (const char byte : section) sum += static_cast<unsigned char>(byte);
        }
        REQUIRE(sum < SIZE_MAX);
        REQUIRE(image.record.request.file_count <= RequestState::most_files);
    }
}

#include "workers/handover/desk_image.hpp"

#include <cstring>
#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

constexpr std::size_t arena_size = 1 << 16;
constexpr int fd = 5;

// A worker's memory with a connection at 5, and a block that all is written to.
struct Scene {
    Scene() {
        Seat& seat = *memory.seat(fd);
        seat.facts = static_cast<std::uint8_t>(memory.row_of({"127.0.0.1", 8000, 0, 0}));
        std::strcpy(seat.address, "192.0.2.1");
        seat.phase = SeatPhase::idle;
        seat.generation = 9;
        block = static_cast<char*>(memory.arena().allocate(8192));
        picture.fd = fd;
        picture.generation = 9;
        picture.phase = DeskPhase::reading;
        picture.received = 1000;
        picture.sent = 2000;
    }
    ArenaRange put(std::string_view bytes) {
        std::memcpy(block + used, bytes.data(), bytes.size());
        const ArenaRange range{static_cast<std::uint32_t>(memory.arena().offset_of(block) + used),
                               static_cast<std::uint32_t>(bytes.size())};
        used += bytes.size();
        return range;
    }
    ParkedRequest& park() {
        void* const room = memory.arena().allocate(sizeof(ParkedRequest));
        picture.parked = static_cast<std::uint32_t>(memory.arena().offset_of(room));
        return *new (room) ParkedRequest{};
    }
    // Output "aaaa" FILE "bb" FILE "c", of files with so many bytes each.
    void put_two_files(std::uint64_t first, std::uint64_t second) {
        ParkedRequest& parked = park();
        parked.state.stage = Stage::answered;
        parked.state.file_count = 2;
        parked.state.files[0] = {100, first, 4, 20};
        parked.state.files[1] = {200, second, 6, 21};
        parked.sections[static_cast<int>(Section::output)] = put("aaaabbc");
        picture.phase = DeskPhase::answered;
    }
    bool make() { return image_of_picture(memory, picture, image); }
    bool update(std::uint64_t read, std::uint64_t sent) {
        return make() && bring_up_to_date(memory, picture, read, sent, image);
    }
    std::string_view section(Section which) const { return image.sections[static_cast<std::size_t>(which)]; }
    const RequestState& request() const { return image.record.request; }

    WorkerMemory memory{16, arena_size};
    char* block = nullptr;
    std::size_t used = 0;
    DeskPicture picture{};
    ConnectionImage image;
};

} // namespace

TEST_CASE("a picture of somebody who has left is none") {
    Scene scene;
    REQUIRE(scene.make());
    SECTION("another sits there") {
        scene.picture.generation = 8;
    }
    SECTION("nobody does") {
        scene.memory.seat(fd)->generation = 0;
    }
    SECTION("there is no such seat") {
        scene.picture.fd = 16;
    }
    SECTION("nor one of a negative number") {
        scene.picture.fd = -1;
    }
    CHECK_FALSE(scene.make());
}

TEST_CASE("ranges beyond the arena make no picture") {
    Scene scene;
    ArenaRange& range = GENERATE(0, 1) == 0 ? scene.picture.input : scene.picture.output;
    REQUIRE(scene.make());
    SECTION("behind its end") {
        range = {arena_size + 1, 0};
    }
    SECTION("across its end") {
        range = {arena_size - 1, 2};
    }
    SECTION("more than a number holds") {
        range = {64, UINT32_MAX};
    }
    CHECK_FALSE(scene.make());
}

TEST_CASE("what was read since the picture belongs to it") {
    Scene scene;
    scene.picture.input = scene.put("GET / HT");
    scene.put("TP/1.1\r\n");
    scene.picture.input_room = 8;
    REQUIRE(scene.update(8, 0));
    CHECK(scene.section(Section::input) == "GET / HTTP/1.1\r\n");
    CHECK(scene.request().has(RequestState::input_held));
    CHECK(scene.image.record.received == 1008);
    CHECK_FALSE(scene.update(9, 0)); // there was no room for that
    REQUIRE(scene.update(0, 0));
    CHECK(scene.section(Section::input) == "GET / HT");
}

TEST_CASE("room that is said to go beyond the arena is not read") {
    Scene scene;
    scene.picture.input = {arena_size - 4, 4};
    scene.picture.input_room = UINT32_MAX;
    REQUIRE(scene.update(0, 0));
    for (const std::uint64_t read : {std::uint64_t{1}, std::uint64_t{UINT32_MAX} - 3, std::uint64_t{UINT32_MAX}}) {
        CAPTURE(read);
        CHECK_FALSE(scene.update(read, 0));
    }
}

TEST_CASE("without bytes of it, a connection holds no input") {
    Scene scene;
    REQUIRE(scene.update(0, 0));
    CHECK_FALSE(scene.request().has(RequestState::input_held));
    CHECK(scene.image.record.phase == SeatPhase::idle);
}

TEST_CASE("what was sent since the picture is not sent again") {
    Scene scene;
    scene.picture.phase = DeskPhase::answered;
    scene.picture.ending = Ending::keep;
    scene.picture.output = scene.put("HTTP/1.1 200 OK\r\n\r\n");
    REQUIRE(scene.update(0, 9));
    CHECK(scene.section(Section::output) == "200 OK\r\n\r\n");
    CHECK(scene.request().stage == Stage::answered);
    CHECK(scene.request().ending == Ending::keep);
    CHECK(scene.image.record.phase == SeatPhase::writing);
    CHECK(scene.image.record.sent == 2009);
    CHECK((scene.image.record.flags & Seat::answered_any) != 0);
    REQUIRE(scene.update(0, 19));
    CHECK(scene.section(Section::output).empty());
    CHECK_FALSE(scene.update(0, 20)); // it never had so much
}

TEST_CASE("files of the output are as far as they were sent") {
    Scene scene;
    scene.put_two_files(1000, 3000);
    struct Case {
        std::uint64_t sent;
        std::string_view output;
        int files;
        std::int64_t offset; // of the first that is left
        std::uint64_t left;
        std::uint32_t before;
        int descriptor;
    };
    const Case cases[] = {
        {0, "aaaabbc", 2, 100, 1000, 4, 20},       {3, "abbc", 2, 100, 1000, 1, 20},
        {4, "bbc", 2, 100, 1000, 0, 20},           {5, "bbc", 2, 101, 999, 0, 20},
        {4 + 999, "bbc", 2, 1099, 1, 0, 20},       {4 + 1000, "bbc", 1, 200, 3000, 2, 21},
        {4 + 1000 + 1, "bc", 1, 200, 3000, 1, 21}, {4 + 1000 + 2 + 2999, "c", 1, 3199, 1, 0, 21},
        {4 + 1000 + 2 + 3000, "c", 0, 0, 0, 0, 0}, {4 + 1000 + 2 + 3000 + 1, "", 0, 0, 0, 0, 0},
    };
    for (const Case& each : cases) {
        CAPTURE(each.sent);
        REQUIRE(scene.update(0, each.sent));
        CHECK(scene.section(Section::output) == each.output);
        REQUIRE(scene.request().file_count == each.files);
        if (each.files == 0) continue;
        const OutputFile& file = scene.request().files[0];
        CHECK(file.offset == each.offset);
        CHECK(file.left == each.left);
        CHECK(file.before == each.before);
        CHECK(scene.image.output_files[0] == each.descriptor);
        if (each.files == 2) CHECK(scene.request().files[1].before == each.before + 2);
    }
    CHECK_FALSE(scene.update(0, 4 + 1000 + 2 + 3000 + 2));
    CHECK_FALSE(scene.update(0, UINT64_MAX));
}

TEST_CASE("files that stand behind the output make no picture") {
    Scene scene;
    scene.put_two_files(1000, 3000);
    scene.picture.output = scene.put("abcde"); // in place of that which they stand in
    CHECK_FALSE(scene.make());
}

TEST_CASE("the last answer stands behind those that were made") {
    Scene scene;
    scene.picture.phase = DeskPhase::in_app;
    scene.picture.input = scene.put("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    scene.picture.output = scene.put("answered before");
    REQUIRE(scene.update(0, 9));
    end_with("HTTP/1.1 500 …", scene.image);
    CHECK(scene.section(Section::output) == "before");
    CHECK(scene.image.more_output == "HTTP/1.1 500 …");
    CHECK(scene.section(Section::input).empty());
    CHECK(scene.request().stage == Stage::answered);
    CHECK(scene.request().ending == Ending::linger);
    CHECK(scene.request().flags == 0);
    CHECK(scene.image.record.phase == SeatPhase::writing);
}

TEST_CASE("a connection whose answer is all sent is idle, whatever its seat says") {
    Scene scene;
    scene.memory.seat(scene.picture.fd)->phase = SeatPhase::preamble;
    scene.picture.phase = DeskPhase::answered;
    scene.picture.ending = Ending::keep;
    REQUIRE(scene.update(0, 0));
    CHECK(scene.image.record.phase == SeatPhase::idle);
    CHECK((scene.image.record.flags & Seat::answered_any) != 0);
}

TEST_CASE("of a request that is answered so, neither head nor body go along") {
    Scene scene;
    ParkedRequest& parked = scene.park();
    parked.state.stage = Stage::body;
    parked.state.flags = RequestState::head_is_here | RequestState::body_is_in_file;
    parked.state.body_fd = 30;
    parked.sections[static_cast<int>(Section::head)] = scene.put("POST /c HTTP/1.1\r\n\r\n");
    parked.sections[static_cast<int>(Section::body)] = scene.put("its body");
    parked.sections[static_cast<int>(Section::lines)] = scene.put("a line\n");
    scene.picture.phase = DeskPhase::in_app;
    scene.picture.input = scene.put("GET /next HTTP/1.1\r\n\r\n");
    REQUIRE(scene.update(0, 0));
    CHECK(scene.image.body_file == 30);
    end_with("HTTP/1.1 504 …", scene.image);
    CHECK(scene.section(Section::head).empty());
    CHECK(scene.section(Section::body).empty());
    CHECK(scene.section(Section::input).empty());
    CHECK(scene.section(Section::lines) == "a line\n");
    CHECK(scene.image.body_file == -1);
    CHECK_FALSE(scene.request().has_body_file());
}

#include "workers/handover/desk.hpp"

#include <array>
#include <cstring>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

DeskPicture picture_of(std::int32_t fd) {
    DeskPicture picture{};
    picture.fd = fd;
    picture.generation = static_cast<std::uint32_t>(fd) * 3;
    picture.phase = DeskPhase::reading;
    picture.input = {static_cast<std::uint32_t>(fd) * 5, 7};
    picture.received = static_cast<std::uint64_t>(fd) * 11;
    return picture;
}

bool is_picture_of(const DeskPicture& picture, std::int32_t fd) {
    const DeskPicture wanted = picture_of(fd);
    return std::memcmp(&picture, &wanted, sizeof picture) == 0;
}

} // namespace

TEST_CASE("on a fresh desk, nobody is served") {
    const Desk desk{};
    CHECK(desk.picture().phase == DeskPhase::nobody);
    CHECK(desk.deadline() == 0);
    CHECK(desk.sent_for_worker() == 0);
}

TEST_CASE("a desk shows the last picture, whole") {
    Desk desk{};
    for (int fd = 1; fd < 6; ++fd) {
        desk.show(picture_of(fd));
        CHECK(is_picture_of(desk.picture(), fd));
    }
}

TEST_CASE("a picture that is being made does not touch the one that is shown") {
    Desk desk{};
    desk.show(picture_of(1));
    desk.show(picture_of(2));
    // A death between the stores of show() leaves the desk as it was before the last of them, which names the picture.
    // That is the first word of it; all the others can be taken for done.
    std::array<unsigned char, sizeof(Desk)> before;
    std::memcpy(before.data(), static_cast<const void*>(&desk), sizeof desk);
    desk.show(picture_of(3));
    std::memcpy(static_cast<void*>(&desk), before.data(), sizeof(unsigned));
    CHECK(is_picture_of(desk.picture(), 2));
}

TEST_CASE("a cleared desk shows nobody") {
    Desk desk{};
    desk.show(picture_of(1));
    desk.show(picture_of(2));
    desk.clear();
    CHECK(desk.picture().phase == DeskPhase::nobody);
    CHECK(desk.picture().fd == -1);
    desk.show(picture_of(3));
    CHECK(is_picture_of(desk.picture(), 3));
}

TEST_CASE("a phase changes by itself") {
    Desk desk{};
    desk.show(picture_of(1));
    desk.show(picture_of(2));
    desk.set_phase(DeskPhase::begun);
    DeskPicture shown = desk.picture();
    CHECK(shown.phase == DeskPhase::begun);
    shown.phase = DeskPhase::reading;
    CHECK(is_picture_of(shown, 2));
    desk.show(picture_of(3));
    CHECK(desk.picture().phase == DeskPhase::reading);
}

TEST_CASE("what was sent in a worker's place is taken once") {
    Desk desk{};
    desk.note_sent(5);
    desk.note_sent(7);
    CHECK(desk.sent_for_worker() == 12);
    CHECK(desk.take_sent() == 12);
    CHECK(desk.take_sent() == 0);
}

#include "workers/handover/move_message.hpp"

#include <functional>

#include "tests/catch.hpp"
#include "tests/unit/workers/handover/moved_image.hpp"

using namespace cppcorn;

namespace {

std::string packet_of(const ConnectionRecord& record, std::string_view bytes = "") {
    return std::string(reinterpret_cast<const char*>(&record), sizeof record).append(bytes);
}

const char* fault_of(const std::string& packet, int descriptors) {
    MoveMessage message;
    return message.read(packet, descriptors);
}

// With a head of five bytes, and a file behind three bytes of an output of seven.
ConnectionImage full_image() {
    ConnectionImage image = idle_image(-1);
    image.record.phase = SeatPhase::writing;
    image.sections[static_cast<int>(Section::head)] = "GET /";
    image.sections[static_cast<int>(Section::output)] = "abcde";
    image.more_output = "fg";
    image.record.request.flags = RequestState::body_is_in_file;
    image.record.request.file_count = 2;
    image.record.request.files[0] = {10, 20, 3, -1};
    image.record.request.files[1] = {0, 1, 3, -1};
    return image;
}

} // namespace

TEST_CASE("a message is read as it was written") {
    const ConnectionRecord record = record_to_write(full_image(), 1);
    MoveMessage message;
    const std::string packet = packet_of(record, "GET /abcdefg"); // which the message's bytes are a part of
    REQUIRE(message.read(packet, 4) == nullptr);
    CHECK(message.size() == 12);
    CHECK(message.bytes == "GET /abcdefg");
    CHECK_FALSE(message.bytes_in_file);
    CHECK(message.descriptor_count() == 4);
    CHECK(message.record.request.body_fd == 1);
    CHECK(message.record.request.files[0].fd == 2);
    CHECK(message.record.request.files[1].fd == 3);
    CHECK(message.record.section_sizes[static_cast<int>(Section::output)] == 7);
}

TEST_CASE("more bytes than are inline are in a file") {
    ConnectionImage image = idle_image(-1);
    const std::string input(MoveMessage::most_inline + 1, 'x');
    image.sections[static_cast<int>(Section::input)] = input;
    const ConnectionRecord record = record_to_write(image, 1);
    MoveMessage message;
    REQUIRE(message.read(packet_of(record), 2) == nullptr);
    CHECK(message.bytes_in_file);
    CHECK(fault_of(packet_of(record), 1) != nullptr);
    CHECK(fault_of(packet_of(record, input), 2) != nullptr);
}

TEST_CASE("a version is written that the reader knows") {
    CHECK(record_to_write(idle_image(-1), 1).version == 1);
    CHECK(record_to_write(idle_image(-1), 7).version == ConnectionRecord::current_version);
    CHECK(record_to_write(idle_image(-1), 0).version == 1);
}

TEST_CASE("a message that makes no sense is refused") {
    const ConnectionRecord good = record_to_write(full_image(), 1);
    const std::string bytes = "GET /abcdefg";
    REQUIRE(fault_of(packet_of(good, bytes), 4) == nullptr);

    const auto broken = [&](const std::function<void(ConnectionRecord&)>& breaks) {
        ConnectionRecord record = good;
        breaks(record);
        return fault_of(packet_of(record, bytes), 4) != nullptr;
    };
    CHECK(broken([](auto& r) { r.version = 2; }));
    CHECK(broken([](auto& r) { r.version = 0; }));
    CHECK(broken([](auto& r) { r.size -= 8; }));
    CHECK(broken([](auto& r) { r.phase = SeatPhase::empty; }));
    CHECK(broken([](auto& r) { r.phase = static_cast<SeatPhase>(7); }));
    CHECK(broken([](auto& r) { r.flags = 0x80; }));
    CHECK(broken([](auto& r) { r.request.flags |= 0x40; }));
    CHECK(broken([](auto& r) { std::memset(r.address, '1', sizeof r.address); }));
    CHECK(broken([](auto& r) { std::strcpy(r.address, "a\r\nb"); }));
    CHECK(broken([](auto& r) { std::memset(r.listener.server_name, 'a', sizeof r.listener.server_name); }));
    CHECK(broken([](auto& r) { r.section_sizes[0] = 6; }));
    CHECK(broken([](auto& r) { r.section_sizes[0] = UINT32_MAX; }));
    CHECK(broken([](auto& r) {
        for (auto& size : r.section_sizes) size = UINT32_MAX;
    }));
    CHECK(broken([](auto& r) { r.request.file_count = 3; }));
    CHECK(broken([](auto& r) { r.request.body_fd = 0; }));
    CHECK(broken([](auto& r) { r.request.files[1].fd = 2; }));
    CHECK(broken([](auto& r) { r.request.files[0].before = 8; }));
    CHECK(broken([](auto& r) { r.request.files[1].before = 2; }));
    CHECK(broken([](auto& r) { r.request.files[0].offset = -1; }));
    CHECK(broken([](auto& r) { r.request.files[0].left = 0; }));
    CHECK(broken([](auto& r) { r.request.files[0].left = UINT64_MAX; }));

    for (std::size_t size = 0; size < packet_of(good, bytes).size(); ++size) {
        CHECK(fault_of(packet_of(good, bytes).substr(0, size), 4) != nullptr);
    }
    CHECK(fault_of(packet_of(good, bytes) + "x", 4) != nullptr);
    for (const int descriptors : {0, 1, 2, 3, 5}) CHECK(fault_of(packet_of(good, bytes), descriptors) != nullptr);
}

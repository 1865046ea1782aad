#include "workers/handover/move_queue.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/unit/log_text.hpp"
#include "tests/unit/workers/handover/moved_image.hpp"
#include "tests/unit/workers/transport/descriptors.hpp"
#include "workers/handover/move_message.hpp"

using namespace cppcorn;

namespace {

bool is_same_file(int a, int b) {
    struct stat one {};
    struct stat other {};
    return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

// Puts a packet in as nobody of ours would.
void put_raw(const MoveQueue& queue, std::string_view packet, const std::vector<int>& descriptors) {
    iovec piece{const_cast<char*>(packet.data()), packet.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
    }
    REQUIRE(::sendmsg(queue.put_fd(), &message, 0) == static_cast<ssize_t>(packet.size()));
}

std::string packet_of(const ConnectionRecord& record, std::string_view bytes = "") {
    return std::string(reinterpret_cast<const char*>(&record), sizeof record).append(bytes);
}

} // namespace

TEST_CASE("an idle connection goes through the queue") {
    const MoveQueue queue = MoveQueue::make();
    CHECK_FALSE(queue.take().has_value());
    SocketPair connection;
    REQUIRE(queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent);
    const auto moved = queue.take();
    REQUIRE(moved.has_value());
    CHECK(is_same_file(moved->socket.get(), connection.ours.get()));
    CHECK((::fcntl(moved->socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(moved->record.deadline == 123'456'789);
    CHECK(std::string(moved->record.listener.server_name) == "127.0.0.1");
    CHECK(moved->bytes.empty());
    CHECK_FALSE(queue.take().has_value());
}

TEST_CASE("bytes and files go with a connection, few or many") {
    const std::size_t size = GENERATE(0, 10, 4000, 4096, 5000, 300'000);
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    const UniqueFd body = file_of("body");
    const UniqueFd first = file_of("first");
    const UniqueFd second = file_of("second");
    const std::string input(size, 'i');
    ConnectionImage image = idle_image(connection.ours.get());
    image.record.phase = SeatPhase::writing;
    image.record.request.flags = RequestState::body_is_in_file;
    image.record.request.file_count = 2;
    image.record.request.files[0] = {1, 4, 2, -1};
    image.record.request.files[1] = {0, 6, 5, -1};
    image.body_file = body.get();
    image.output_files = {first.get(), second.get()};
    image.sections[static_cast<int>(Section::head)] = "head";
    image.sections[static_cast<int>(Section::input)] = input;
    image.sections[static_cast<int>(Section::output)] = "out";
    image.sections[static_cast<int>(Section::lines)] = "lines\n";
    image.more_output = "put";
    const auto before = open_descriptors();
    REQUIRE(queue.put(image) == MoveQueue::Put::sent);
    CHECK(open_descriptors() == before);
    {
        const auto moved = queue.take();
        REQUIRE(moved.has_value());
        CHECK(moved->section(Section::head) == "head");
        CHECK(moved->section(Section::body).empty());
        CHECK(moved->section(Section::input) == input);
        CHECK(moved->section(Section::output) == "output");
        CHECK(moved->section(Section::lines) == "lines\n");
        CHECK(is_same_file(moved->body_file.get(), body.get()));
        CHECK(is_same_file(moved->output_files[0].get(), first.get()));
        CHECK(is_same_file(moved->output_files[1].get(), second.get()));
        CHECK(open_descriptors() == before + 4 + (moved->bytes_file.is_open() ? 1 : 0));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a message that was taken goes back as it was") {
    const std::size_t size = GENERATE(0, 10, 5000);
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    const UniqueFd body = file_of("body");
    const std::string input(size, 'i');
    ConnectionImage image = idle_image(connection.ours.get());
    image.record.request.flags = RequestState::body_is_in_file;
    image.body_file = body.get();
    image.sections[static_cast<int>(Section::input)] = input;
    REQUIRE(queue.put(image) == MoveQueue::Put::sent);
    MovePacket packet{};
    {
        const auto taken = queue.take(packet);
        REQUIRE(taken.has_value());
        const PacketDescriptors descriptors = descriptors_of(packet);
        MoveMessage message;
        REQUIRE(message.read(bytes_of(packet), descriptors.count) == nullptr);
        REQUIRE(queue.put(message, std::span(descriptors.numbers).first(static_cast<std::size_t>(descriptors.count))) ==
                MoveQueue::Put::sent);
    }
    const auto moved = queue.take();
    REQUIRE(moved.has_value());
    CHECK(moved->record.deadline == 123'456'789);
    CHECK(moved->section(Section::input) == input);
    CHECK(is_same_file(moved->socket.get(), connection.ours.get()));
    CHECK(is_same_file(moved->body_file.get(), body.get()));
}

TEST_CASE("a packet tells of nothing when nothing was received to it") {
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    MovePacket packet{};
    CHECK(descriptors_of(packet).count == 0);
    REQUIRE(queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent);
    REQUIRE(queue.take(packet).has_value());
    CHECK(descriptors_of(packet).count == 1);
    CHECK_FALSE(queue.take(packet).has_value());
    CHECK(descriptors_of(packet).count == 0);
    MoveMessage message;
    CHECK(message.read(bytes_of(packet), 1) != nullptr);
}

TEST_CASE("a packet with anything in it is read within its bounds") {
    MovePacket packet;
    std::memset(&packet, 0xff, sizeof packet);
    CHECK(descriptors_of(packet).count == 0);
    CHECK(bytes_of(packet).size() <= sizeof packet.bytes);
    const cmsghdr header{CMSG_LEN(0) + sizeof packet.control, SOL_SOCKET, SCM_RIGHTS};
    std::memcpy(packet.control, &header, sizeof header);
    CHECK(descriptors_of(packet).count == 0);
}

TEST_CASE("the kernel tells that the queue has a message") {
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    mmsghdr told{};
    REQUIRE(queue.put(idle_image(connection.ours.get()), told) == MoveQueue::Put::sent);
    CHECK(told.msg_len == sizeof(ConnectionRecord));
    while (queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent) {
    }
    CHECK(queue.put(idle_image(connection.ours.get()), told) == MoveQueue::Put::full);
    CHECK(told.msg_len == 0);
}

TEST_CASE("a full queue leaves a connection where it is, and loses none") {
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    int count = 0;
    while (queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent) REQUIRE(++count < 100'000);
    CHECK(count > 50);
    CHECK(queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::full);
    for (int i = 0; i < count; ++i) CHECK(queue.take().has_value());
    CHECK_FALSE(queue.take().has_value());
    CHECK(queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent);
}

TEST_CASE("a queue whose other end is closed takes nothing") {
    MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    const MoveQueue half{ServerFd(), ServerFd(::fcntl(queue.put_fd(), F_DUPFD_CLOEXEC, 3))};
    queue = MoveQueue::make();
    CHECK(half.put(idle_image(connection.ours.get())) == MoveQueue::Put::failed);
}

TEST_CASE("what makes no sense is dropped with its descriptors, and the next one is taken") {
    const LogText log;
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    SocketPair next;
    const UniqueFd file = file_of("x");
    const int socket = connection.ours.get();
    const ConnectionRecord idle = record_to_write(idle_image(socket), 1);
    const auto before = open_descriptors();

    std::string expected;
    SECTION("a short one") {
        put_raw(queue, "hello", {socket});
        expected = "it is too short";
    }
    SECTION("one without descriptors") {
        put_raw(queue, packet_of(idle), {});
        expected = "it has another number of descriptors";
    }
    SECTION("one with too many") {
        put_raw(queue, packet_of(idle), {socket, file.get()});
        expected = "it has another number of descriptors";
    }
    SECTION("one with more than there is room for") {
        put_raw(queue, packet_of(idle), std::vector<int>(16, socket));
        expected = "it was cut on its way";
    }
    SECTION("one that is longer than any") {
        put_raw(queue, std::string(MoveMessage::largest_packet + 1, 'x'), {socket});
        expected = "it was cut on its way";
    }
    SECTION("a file in place of the socket") {
        put_raw(queue, packet_of(idle), {file.get()});
        expected = "it has no socket";
    }
    SECTION("a body in a socket") {
        ConnectionImage image = idle_image(socket);
        image.record.request.flags = RequestState::body_is_in_file;
        put_raw(queue, packet_of(record_to_write(image, 1)), {socket, socket});
        expected = "its body is in no file";
    }
    SECTION("bytes in a file of another size") {
        ConnectionImage image = idle_image(socket);
        const std::string input(10'000, 'x');
        image.sections[static_cast<int>(Section::input)] = input;
        put_raw(queue, packet_of(record_to_write(image, 1)), {socket, file.get()});
        expected = "its sizes do not add up";
    }
    SECTION("bytes in a socket") {
        ConnectionImage image = idle_image(socket);
        const std::string input(10'000, 'x');
        image.sections[static_cast<int>(Section::input)] = input;
        put_raw(queue, packet_of(record_to_write(image, 1)), {socket, socket});
        expected = "its bytes are in no file";
    }

    REQUIRE(queue.put(idle_image(next.ours.get())) == MoveQueue::Put::sent);
    {
        const auto moved = queue.take();
        REQUIRE(moved.has_value());
        CHECK(is_same_file(moved->socket.get(), next.ours.get()));
    }
    CHECK(open_descriptors() == before);
    CHECK(log.text().find("A connection from another worker is dropped: " + expected) != std::string::npos);
}

TEST_CASE("a socket that blocks does so no more once it was moved") {
    const MoveQueue queue = MoveQueue::make();
    SocketPair connection;
    ::fcntl(connection.ours.get(), F_SETFL, 0);
    REQUIRE(queue.put(idle_image(connection.ours.get())) == MoveQueue::Put::sent);
    const auto moved = queue.take();
    REQUIRE(moved.has_value());
    CHECK((::fcntl(moved->socket.get(), F_GETFL) & O_NONBLOCK) != 0);
}

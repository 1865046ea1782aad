// A connection that is moved between any two of its bytes goes on as if it had not been.
#include <cstring>
#include <memory>
#include <stdexcept>

#include <fcntl.h>

#include "tests/catch.hpp"
#include "tests/unit/workers/connection/one_client.hpp"
#include "tests/unit/workers/transport/descriptors.hpp"
#include "workers/connection/shared_seats.hpp"
#include "workers/handover/move_message.hpp"
#include "workers/handover/seat_image.hpp"
#include "workers/http/request_marks.hpp"

using namespace one_client;

namespace {

// A worker with its memory. The arena is the process's while this one serves.
struct Worker {
    Worker() {
        Arena::make_current(&memory.arena());
        world.emplace();
    }
    ~Worker() {
        Arena::make_current(&memory.arena());
        world.reset();
    }
    World& use() {
        Arena::make_current(&memory.arena());
        return *world;
    }

    WorkerMemory memory{8, 1 << 26};
    std::optional<World> world;
};

const ListeningSocket other_listener{-1, "192.0.2.7", 81};

void sit_down(Worker& worker, int fd) {
    Seat* const found = worker.memory.seat(fd);
    if (found == nullptr) throw std::out_of_range("no seat");
    Seat& seat = *found;
    seat.facts = static_cast<std::uint8_t>(worker.memory.row_of({"127.0.0.1", 8000, 0, 0}));
    seat.generation = 1;
    write_peer(seat, worker.world->connection->peer());
    worker.world->connection->park(seat, worker.memory.arena());
}

// As MoveQueue does it.
MovedConnection through_the_queue(const ConnectionImage& image) {
    const ConnectionRecord record = record_to_write(image, 1);
    std::string bytes;
    for (int i = 0; i < section_count; ++i) {
        bytes += image.sections[i];
        if (i == static_cast<int>(Section::output)) bytes += image.more_output;
    }
    std::string packet(reinterpret_cast<const char*>(&record), sizeof record);
    if (bytes.size() <= MoveMessage::most_inline) packet += bytes;
    MoveMessage message;
    const char* const fault = message.read(packet, 1 + record.request.file_count + (bytes.size() > 4096 ? 1 : 0));
    INFO((fault != nullptr ? fault : ""));
    REQUIRE(fault == nullptr);
    MovedConnection moved;
    moved.record = message.record;
    moved.bytes = bytes;
    for (int i = 0; i < record.request.file_count; ++i) {
        moved.output_files[i].reset(::fcntl(image.output_files[i], F_DUPFD_CLOEXEC, 3));
    }
    return moved;
}

// Out of one worker into the other.
void move(Worker& from, Worker& to) {
    sit_down(from, 5);
    ConnectionImage image;
    REQUIRE(image_of(from.memory, 5, image));
    MovedConnection moved = through_the_queue(image);
    World& before = from.use();
    before.connection->forget(before.pool);
    before.connection.reset();
    World& after = to.use();
    std::swap(after.stream, before.stream);
    after.connection = Connection::resume(moved, other_listener, after.turn());
    REQUIRE(after.connection.has_value());
    after.wants = after.connection->serve(after.turn());
}

struct Served {
    std::string received;
    bool open;
    std::vector<std::string> app;
    friend bool operator==(const Served& a, const Served& b) {
        return a.received == b.received && a.open == b.open && a.app == b.app;
    }
};

using Change = std::function<void(World&)>;

// The app's answers tell all that it was given.
void set_app(World& world, std::vector<std::string>& told, const Change& change) {
    world.app = [&](const cppcorn_request* request) {
        const BodyRead body = read_body(request);
        std::string text(path_of(request));
        text += " " + body.bytes + " " + std::to_string(body.error);
        for (std::size_t i = 0; i < request->field_count; ++i) {
            const std::string name(request->fields[i].name.data, request->fields[i].name.size);
            if (name == http::request_id_field) continue; // each request's is another one
            text += " " + name + "=" + std::string(request->fields[i].value.data, request->fields[i].value.size);
        }
        told.push_back(text);
        return respond(request, text);
    };
    if (change) change(world);
}

Served serve(const std::string& bytes, std::size_t split, bool moves, const Change& change = nullptr) {
    Worker first;
    Worker second;
    Served served;
    for (Worker* worker : {&first, &second}) set_app(worker->use(), served.app, change);
    World& begin = first.use();
    begin.come();
    if (split > 0) begin.send(bytes.substr(0, split));
    served.received = begin.receive();
    Worker* last = &first;
    if (moves && begin.is_open()) {
        move(first, second);
        last = &second;
    }
    World& end = last->use();
    if (split < bytes.size() && end.is_open()) end.send(bytes.substr(split));
    served.received += end.receive();
    for (const char* const part : {"Date: ", "Request id: "}) { // which are others in each run
        for (auto at = served.received.find(part); at != std::string::npos; at = served.received.find(part, at)) {
            served.received.erase(at, served.received.find('\n', at) - at);
        }
    }
    served.open = end.is_open();
    return served;
}

void check_all_splits(const std::string& bytes, const Change& change = nullptr, std::size_t step = 1) {
    for (std::size_t split = 0; split <= bytes.size(); split += step) {
        const Served kept = serve(bytes, split, false, change);
        const Served moved = serve(bytes, split, true, change);
        INFO("split at " << split << " of " << bytes << "\nkept: " << kept.received << "\nmoved: " << moved.received);
        REQUIRE(kept == moved);
    }
}

const std::string chunked_head = "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

TEST_CASE("Moving: between requests, and within heads and counted bodies") {
    check_all_splits(get("/a") + "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\nX-Y: z\r\n\r\n" +
                     std::string(30, 'b') + get("/c"));
    check_all_splits("\r\n" + get("/a") + "\r\n\r\n" + get("/b", "Connection: close\r\n") + "more");
    check_all_splits("GET /a HTTP/1.0\r\n\r\n");
}

TEST_CASE("Moving: within chunks, their lines and their trailers") {
    check_all_splits(chunked_head +
                     "5\r\nhello\r\n00a;x=\"y\\\"z\" ; b = c\r\n0123456789\r\n1\r\n!\r\n0\r\nA: b\r\nC: d\r\n\r\n" +
                     get("/next"));
    check_all_splits(chunked_head + "0\r\n\r\n" + chunked_head + "0F\r\n0123456789abcde\r\n0;e\r\n\r\n" + get("/next"));
}

TEST_CASE("Moving: what is refused is refused all the same") {
    check_all_splits(chunked_head + "5\r\nhello!\r\n" + get("/x"));
    check_all_splits(chunked_head + "5 x\r\nhello\r\n");
    check_all_splits(chunked_head + "5\r\nhello\r\n0\r\nA : b\r\n\r\n");
    check_all_splits(get("/a") + "GET / HTTP/1.1\r\n\r\n");
    check_all_splits("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n");
    check_all_splits("HEAD \x01 HTTP/1.1\r\nHost: a\r\n\r\n");
    check_all_splits(chunked_head + "ffffffffffffffff\r\nhello");
}

TEST_CASE("Moving: limits of bodies hold over all of a body") {
    const Change change = [](World& world) { world.settings.limits.body = 12; };
    check_all_splits(chunked_head + "5\r\nhello\r\n8\r\nabcdefgh\r\n0\r\n\r\n", change);
    check_all_splits(chunked_head + "5\r\nhello\r\n7\r\nabcdefg\r\n0\r\n\r\n", change);
}

TEST_CASE("Moving: a body that the app has left is dropped to its end") {
    const Change change = [](World& world) {
        world.settings.body_buffer = 10;
        world.app = [](const cppcorn_request* request) { return respond(request, path_of(request)); };
    };
    check_all_splits("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n" + std::string(60, 'b') + get("/c"),
                     change);
    check_all_splits(chunked_head + "20\r\n" + std::string(32, 'x') + "\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n" + get("/c"),
                     change);
}

TEST_CASE("Moving: a client that waits for 100 Continue is told so once") {
    const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    check_all_splits(head + "abc" + get("/b"));
    Worker first;
    Worker second;
    first.use().send(head);
    CHECK(statuses(first.use().receive()) == Statuses{100});
    move(first, second);
    second.use().send("abc");
    CHECK(statuses(second.use().receive()) == Statuses{200});
}

TEST_CASE("Moving: a head that has outgrown its memory, and a large one") {
    const std::string field = "X-Long: " + std::string(7000, 'x') + "\r\n";
    const std::string request = "POST /b HTTP/1.1\r\nHost: a\r\n" + field + field + field +
                                "Content-Length: 30000\r\n\r\n" + std::string(30'000, 'b') + get("/c");
    check_all_splits(request, nullptr, 977);
}

TEST_CASE("Moving: a PROXY header in parts") {
    const Change change = [](World& world) {
        world.settings.proxy_protocol = http::ProxyProtocol::v1;
        world.peer.may_send_preamble = true;
        world.app = [](const cppcorn_request* request) {
            return respond(request, std::string(request->remote_address.data, request->remote_address.size));
        };
    };
    const std::string bytes = "PROXY TCP4 198.51.100.9 192.0.2.2 1234 80\r\n" + get("/a") + get("/b");
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        Worker first;
        Worker second;
        for (Worker* worker : {&first, &second}) change(worker->use());
        World& begin = first.use();
        begin.come();
        if (split > 0) begin.send(bytes.substr(0, split));
        std::string received = begin.receive();
        move(first, second);
        World& end = second.use();
        end.send(bytes.substr(split));
        received += end.receive();
        INFO("split at " << split << ": " << received);
        REQUIRE(statuses(received) == Statuses{200, 200});
        REQUIRE(contains(received.substr(received.rfind("\r\n\r\n")), "198.51.100.9"));
    }
}

TEST_CASE("Moving: an answer that the client has not taken is sent on") {
    const std::size_t size = GENERATE(0, 1, 5000, 300'000, 5'000'000);
    const std::size_t taken = GENERATE(0, 1, 100, 4'000, 299'000);
    const bool closes = GENERATE(false, true);
    Worker first;
    Worker second;
    const std::string body(size, 'x');
    for (Worker* worker : {&first, &second}) {
        World& world = worker->use();
        world.app = [&](const cppcorn_request* request) { return respond(request, body); };
        world.stream.set_capacity(taken);
    }
    World& begin = first.use();
    begin.send(get("/a", closes ? "Connection: close\r\n" : ""));
    const bool waits = begin.wants == Wants::to_write;
    if (!begin.is_open()) return;
    move(first, second);
    World& end = second.use();
    CHECK((end.wants == Wants::to_write) == waits);
    end.stream.set_capacity(10'000'000);
    std::string received = end.receive();
    received += end.receive();
    CHECK(statuses(received) == Statuses{200});
    CHECK(received.substr(received.find("\r\n\r\n") + 4) == body);
    CHECK(end.stream.is_write_closed() == closes);
    if (closes) return;
    end.send(get("/b"));
    CHECK(statuses(end.receive()) == Statuses{200});
}

TEST_CASE("Moving: files that wait go along, with what stands around them") {
    const std::size_t taken = GENERATE(0, 10, 400, 5'000, 90'000, 150'000);
    Worker first;
    Worker second;
    const std::string content(100'000, 'f');
    const UniqueFd file = file_of(content);
    for (Worker* worker : {&first, &second}) {
        World& world = worker->use();
        world.app = [&](const cppcorn_request* request) {
            begin(request, 200, 4 + 100'000 + 6 + 50'000 + 4);
            write(request, "head");
            CHECK(host_table().send_file(request, file.get(), 0, 100'000) == 0);
            write(request, "middle");
            CHECK(host_table().send_file(request, file.get(), 0, 50'000) == 0);
            return write(request, "tail");
        };
        world.stream.set_capacity(taken);
    }
    first.use().send(get("/a"));
    REQUIRE(first.use().wants == Wants::to_write);
    move(first, second);
    World& end = second.use();
    end.stream.set_capacity(10'000'000);
    std::string received = end.receive();
    received += end.receive();
    CHECK(received.substr(received.find("\r\n\r\n") + 4) ==
          "head" + content + "middle" + content.substr(0, 50'000) + "tail");
    end.send(get("/b"));
    CHECK(statuses(end.receive()) == Statuses{200});
}

TEST_CASE("Moving: what is told to be within a request, and has nothing of one, is not taken") {
    const auto phase = GENERATE(SeatPhase::head, SeatPhase::body);
    Worker worker;
    World& world = worker.use();
    MovedConnection moved;
    moved.record = {};
    moved.record.phase = phase;
    moved.record.request.file_count = 1;
    moved.output_files[0] = file_of("file");
    CHECK_FALSE(Connection::resume(moved, other_listener, world.turn()));
}

TEST_CASE("Moving: however many files an app sends, no more wait than can be told") {
    Worker worker;
    const UniqueFd file = file_of(std::string(100, 'f'));
    World& world = worker.use();
    world.app = [&](const cppcorn_request* request) {
        begin(request, 200, 300);
        for (int i = 0; i < 3; ++i) host_table().send_file(request, file.get(), 0, 100);
        return 0;
    };
    world.stream.set_capacity(0);
    world.send(get("/a"));
    sit_down(worker, 5);
    ConnectionImage image;
    REQUIRE(image_of(worker.memory, 5, image));
    CHECK(image.record.request.file_count == 1); // the others are small, and were copied
}

TEST_CASE("Moving: requests that wait for their turn are answered") {
    Worker first;
    Worker second;
    for (Worker* worker : {&first, &second}) {
        World& world = worker->use();
        world.app = [&world](const cppcorn_request* request) {
            world.pass(4ms);
            return respond(request, path_of(request));
        };
    }
    World& begin = first.use();
    begin.stream.send(get("/1") + get("/2") + get("/3") + get("/4"));
    begin.come();
    REQUIRE(begin.wants == Wants::to_go_on);
    move(first, second);
    World& end = second.use();
    end.run();
    CHECK(statuses(end.receive()) == Statuses{200, 200, 200, 200});
    CHECK(end.wants == Wants::to_read);
}

TEST_CASE("Moving: a response whose end is the connection's is reset where it is cut") {
    Worker first;
    Worker second;
    const std::string body(400'000, 'x');
    for (Worker* worker : {&first, &second}) {
        World& world = worker->use();
        world.app = [&](const cppcorn_request* request) {
            begin(request, 200, std::nullopt);
            return write(request, body);
        };
        world.stream.set_capacity(100'000);
    }
    first.use().send("GET / HTTP/1.0\r\n\r\n");
    REQUIRE(first.use().wants == Wants::to_write);
    move(first, second);
    World& end = second.use();
    CHECK(end.stream.is_reset());
    SECTION("whole") {
        end.stream.set_capacity(10'000'000);
        end.receive();
        end.receive();
        CHECK_FALSE(end.stream.is_reset());
        CHECK(end.stream.is_write_closed());
    }
    SECTION("cut") {
        end.wait(61s);
        CHECK_FALSE(end.is_open());
        CHECK(end.stream.is_reset());
    }
}

TEST_CASE("Moving: deadlines go on") {
    Worker first;
    Worker second;
    World& begin = first.use();
    std::string sent;
    SECTION("of a connection that has said nothing") {
        begin.come();
    }
    SECTION("of one that is idle") {
        begin.send(get("/a"));
    }
    SECTION("of a head") {
        begin.come();
        begin.send("GET / HTTP");
    }
    SECTION("of a body") {
        begin.send(post_head + "abc");
    }
    SECTION("of a client that does not read") {
        begin.stream.set_capacity(10);
        second.use().stream.set_capacity(10);
        first.use();
        begin.send(get("/a"));
    }
    SECTION("of a client that is lingering") {
        begin.send("\x16");
    }
    const SteadyTime deadline = begin.connection->deadline();
    begin.wait(2s);
    move(first, second);
    World& end = second.use();
    CHECK(end.connection->deadline() == deadline);
    end.wait(std::chrono::duration_cast<Milliseconds>(deadline - FakeClock::now));
    end.wait(0ms);
    if (end.is_open()) end.wait(40s); // a 408 is followed by lingering
    CHECK_FALSE(end.is_open());
}

TEST_CASE("Moving: a lingering client's patience has one end, however often it is moved") {
    auto from = std::make_unique<Worker>();
    from->use().send("\x16");
    REQUIRE(from->use().stream.is_write_closed());
    const SteadyTime end = FakeClock::now + 31s;
    while (from->use().is_open()) {
        REQUIRE(FakeClock::now < end);
        from->use().wait(1s);
        from->use().send(std::string(5000, 'x'));
        if (!from->use().is_open()) break;
        auto to = std::make_unique<Worker>();
        move(*from, *to);
        from = std::move(to);
    }
}

TEST_CASE("Moving: the other listener's facts are what apps are told") {
    Worker first;
    Worker second;
    second.use().app = [](const cppcorn_request* request) {
        return respond(request, std::string(request->server_name.data, request->server_name.size) + ":" +
                                    std::to_string(request->server_port));
    };
    first.use().come();
    move(first, second);
    second.use().send(get("/"));
    CHECK(contains(second.use().receive(), "\r\n\r\n192.0.2.7:81"));
}

TEST_CASE("Moving: limits that are lower where it comes to are kept to there") {
    Worker first;
    Worker second;
    second.use().settings.limits.fields = 1;
    first.use().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    move(first, second);
    World& end = second.use();
    CHECK(statuses(end.receive()) == Statuses{431});
    CHECK(end.stream.is_write_closed());
}

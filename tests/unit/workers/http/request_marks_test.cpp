#include "workers/http/request_marks.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace cppcorn::http {
namespace {

const std::string id = "0123456789abcdefABCDEF-_.:+/=";

struct Taken {
    RequestMarks marks;
    std::vector<std::string> left; // names
};

Taken take(const std::vector<Field>& fields, bool is_trusted) {
    RequestHead head;
    head.fields = fields;
    Taken taken;
    taken.marks = take_marks(head, is_trusted);
    for (const Field& field : head.fields) taken.left.emplace_back(field.name);
    return taken;
}

using Names = std::vector<std::string>;

TEST_CASE("request marks: a trusted peer's are read and stay") {
    const Taken taken = take({{"Host", "a"}, {"x-REQUEST-id", id}, {"X-Request-Start", "t=1700000000"}}, true);
    CHECK(taken.marks.id == id);
    CHECK(taken.marks.started_us == 1'700'000'000'000'000);
    CHECK(taken.left == Names{"Host", "x-REQUEST-id", "X-Request-Start"});
}

TEST_CASE("request marks: a stranger's are taken out, in each spelling that an app might take for them") {
    const std::vector<Field> fields{{"X-Request-Id", id},  {"x_request_id", id},  {"X-Request_Start", "1700000000"},
                                    {"X-Queue-Time", "1"}, {"x-queue_time", "1"}, {"Y-Request-Id", id},
                                    {"X-Request-Is", id},  {"X-Request-Ids", id}};
    const Taken taken = take(fields, false);
    CHECK(taken.marks.id.empty());
    CHECK(taken.marks.started_us == 0);
    CHECK(taken.left == Names{"Y-Request-Id", "X-Request-Is", "X-Request-Ids"});
}

TEST_CASE("request marks: an id that is none, or not the only one, is taken out") {
    CHECK(take({{"X-Request-Id", "short"}}, true).left.empty());
    CHECK(take({{"X-Request-Id", "short"}}, true).marks.id.empty());
    CHECK(take({{"X-Request-Id", id}, {"X-Request-Id", id}}, true).left.empty());
    CHECK(take({{"X-Request-Id", id}, {"X_Request_Id", id}}, true).marks.id.empty());
}

TEST_CASE("request marks: the time in the queue is nobody's to say but the server's") {
    CHECK(take({{"X-Queue-Time", "1"}}, true).left.empty());
}

TEST_CASE("request marks: of several starts, none counts") {
    const Taken taken = take({{"X-Request-Start", "1700000000"}, {"X-Request-Start", "1700000001"}}, true);
    CHECK(taken.marks.started_us == 0);
    CHECK(taken.left.size() == 2);
}

TEST_CASE("request id: 20 to 200 safe characters") {
    CHECK(is_request_id(std::string(20, 'a')));
    CHECK(is_request_id(std::string(200, 'Z')));
    CHECK(is_request_id(id));
    CHECK_FALSE(is_request_id(std::string(19, 'a')));
    CHECK_FALSE(is_request_id(std::string(201, 'a')));
    for (const char c : {' ', '"', '\\', '<', '&', '\'', ',', ';', '%', '$', '\0', '\x7f', '\xe9'}) {
        CHECK_FALSE(is_request_id(std::string(19, 'a') + c));
    }
}

TEST_CASE("request start: seconds, milliseconds and microseconds, with or without t=") {
    struct Case {
        const char* text;
        std::int64_t us;
    };
    const auto [text, us] = GENERATE(values<Case>({
        {"1700000000", 1'700'000'000'000'000},
        {"t=1700000000", 1'700'000'000'000'000},
        {"t=1700000000.123", 1'700'000'000'123'000},
        {"1700000000.1234567", 1'700'000'000'123'456},
        {"1700000000123", 1'700'000'000'123'000},
        {"t=1700000000123.25", 1'700'000'000'123'250},
        {"1700000000123456", 1'700'000'000'123'456},
        {"t=1700000000123456.9", 1'700'000'000'123'456},
        {"", 0},
        {"t=", 0},
        {"t", 0},
        {".5", 0},
        {"-1700000000", 0},
        {"+170000000", 0},
        {"0700000000", 0},
        {"1700000000.", 0},
        {"1700000000.x", 0},
        {"1700000000.1234567x", 0},
        {"1700000000,5", 0},
        {"17000000000", 0},
        {"170000000012345678901234567890", 0},
        {"t=t=1700000000", 0},
        {"T=1700000000", 0},
        {" 1700000000", 0},
        {"1.7e9", 0},
        {"0x65530000", 0},
    }));
    CAPTURE(text);
    CHECK(read_start(text) == us);
}

TEST_CASE("traceparent: as W3C has it") {
    const std::string known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    CHECK(is_traceparent(known));
    CHECK(is_traceparent("01" + known.substr(2)));
    CHECK(is_traceparent("01" + known.substr(2) + "-more"));
    CHECK_FALSE(is_traceparent(known + "-more"));
    CHECK_FALSE(is_traceparent("01" + known.substr(2) + "more"));
    CHECK_FALSE(is_traceparent("ff" + known.substr(2)));
    CHECK_FALSE(is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
    CHECK_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
    CHECK_FALSE(is_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
    CHECK_FALSE(is_traceparent(""));
    for (std::size_t i = 0; i < known.size(); ++i) {
        CAPTURE(i);
        std::string other = known;
        other[i] = '.';
        CHECK_FALSE(is_traceparent(other));
        CHECK_FALSE(is_traceparent(known.substr(0, i)));
    }
}

} // namespace
} // namespace cppcorn::http

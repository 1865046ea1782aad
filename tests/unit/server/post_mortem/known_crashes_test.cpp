#include "server/post_mortem/known_crashes.hpp"

#include <algorithm>

#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/server/post_mortem/one_crash.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{1h};

TEST_CASE("known crashes: the same crash is counted") {
    KnownCrashes known;
    CHECK_FALSE(known.note(one_crash(), start));
    Death again = one_crash();
    again.pid = 8;
    again.request = "GET /y HTTP/1.1";
    for (auto& module : again.crash.modules) module.base += 0x1000; // mapped elsewhere
    for (auto& frame : again.crash.frames) frame.address += 0x1000;
    again.crash.frame_count -= 2; // called from elsewhere in the server
    const auto repeat = known.note(again, start + 1s);
    REQUIRE(repeat);
    CHECK(repeat->first_pid == 7);
    CHECK(repeat->count == 2);
    CHECK(known.note(one_crash(), start + 2s)->count == 3);
}

TEST_CASE("known crashes: another signal, frame or build is another crash") {
    const std::string key = crash_key(one_crash());
    Death other = one_crash();
    other.signal = other.crash.signal = SIGBUS;
    CHECK(crash_key(other) != key);
    other = one_crash();
    other.crash.frames[1].address++;
    CHECK(crash_key(other) != key);
    other = one_crash();
    other.crash.modules[0].build_id[1]++;
    CHECK(crash_key(other) != key);
}

TEST_CASE("known crashes: in the same build, the path of the library does not matter") {
    Death other = one_crash();
    std::strcpy(other.crash.modules[0].path, "/srv/.shop.so.1234");
    CHECK(crash_key(other) == crash_key(one_crash()));
    for (auto* crash : {&other.crash}) crash->modules[0].build_id_size = 0;
    CHECK(crash_key(other) != crash_key(one_crash()));
}

TEST_CASE("known crashes: where a request was when its time was over does not matter, but who called that does") {
    Death late = one_crash();
    late.crash.sender = ::getpid();
    Death other = late;
    other.crash.frames[0].address++;
    CHECK(crash_key(other) == crash_key(late));
    other.crash.frames[1].address++;
    CHECK(crash_key(other) != crash_key(late));
}

TEST_CASE("known crashes: functions that call each other overflow the stack in the same way, whichever is last") {
    Death one = one_crash();
    one.crash.is_stack_overflow = true;
    one.crash.frame_count = CrashRecord::max_frames;
    for (int i = 0; i < CrashRecord::max_frames; ++i)
        one.crash.frames[i] = {0x10000U + static_cast<unsigned>(i % 2), 0};
    Death other = one;
    std::rotate(other.crash.frames, other.crash.frames + 1, std::end(other.crash.frames));
    CHECK(crash_key(other) == crash_key(one));
}

TEST_CASE("known crashes: what was told an hour ago, or to another log, is told again") {
    KnownCrashes known;
    CHECK_FALSE(known.note(one_crash(), start));
    CHECK(known.note(one_crash(), start + 59min));
    CHECK_FALSE(known.note(one_crash(), start + 60min));
    CHECK(known.note(one_crash(), start + 119min));
    known.forget();
    CHECK_FALSE(known.note(one_crash(), start + 119min));
}

TEST_CASE("known crashes: the oldest one is forgotten when there are too many") {
    KnownCrashes known;
    CHECK_FALSE(known.note(one_crash(), start));
    Death other = one_crash();
    for (unsigned i = 1; i <= 64; ++i) {
        other.crash.frames[0].address = 0x11000 + i;
        CHECK_FALSE(known.note(other, start));
    }
    CHECK_FALSE(known.note(one_crash(), start));
    CHECK(known.note(other, start));
}

} // namespace
} // namespace cppcorn

#include "workers/handover/watched_list.hpp"

#include <utility>

#include "tests/catch.hpp"

using namespace cppcorn;

TEST_CASE("a line of an epoll's file tells a descriptor and its tag") {
    int fd = -1;
    std::uint64_t tag = 0;
    REQUIRE(read_watched("tfd:       10 events:       19 data:        20000000a  pos:0 ino:9a sdev:8", fd, tag));
    CHECK(fd == 10);
    CHECK(tag == 0x2'0000'000a);
    REQUIRE(read_watched("tfd:  1048575 events:        1 data: fffffffffffffffe  pos:0 ino:9a sdev:8", fd, tag));
    CHECK(fd == 1'048'575);
    CHECK(tag == 0xffff'ffff'ffff'fffe);
}

TEST_CASE("other lines tell none") {
    int fd = -1;
    std::uint64_t tag = 0;
    for (const char* const line :
         {"", "pos:\t0", "flags:\t02", "mnt_id:\t15", "tfd:", "tfd: 7", "data: 7", "tfd: x data: 7",
          "tfd: 7 data: ", "tfd: 99999999999 data: 1", "tfd: 7 data: 10000000000000000"}) {
        CAPTURE(line);
        CHECK_FALSE(read_watched(line, fd, tag));
    }
}

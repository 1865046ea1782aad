#include "base/bell.hpp"

#include <poll.h>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

bool is_readable(const Bell& bell) {
    pollfd entry{bell.fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

} // namespace

TEST_CASE("Bell: is readable from the ring until it is silenced") {
    const Bell bell = Bell::make();
    CHECK_FALSE(is_readable(bell));
    bell.ring();
    bell.ring();
    CHECK(is_readable(bell));
    bell.silence();
    CHECK_FALSE(is_readable(bell));
    bell.silence(); // which does not wait
    bell.ring();
    CHECK(is_readable(bell));
}

TEST_CASE("Bell: rings unheard for as long as you like") {
    const Bell bell = Bell::make();
    for (int i = 0; i < 100'000; ++i) bell.ring(); // more than any pipe holds
    CHECK(is_readable(bell));
    bell.silence();
    CHECK_FALSE(is_readable(bell));
}

TEST_CASE("Bell: one that nobody hears may be rung") {
    const Bell bell;
    bell.ring();
    bell.silence();
    CHECK(bell.fd() == -1);
}

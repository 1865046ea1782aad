#include "workers/connection/quick_requests.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

void note_quick(QuickRequests& quick, const std::string& line, std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i) quick.of(line).note(true);
}

} // namespace

TEST_CASE("QuickRequests: one is known to be quick once it was so many times in a row") {
    QuickRequests quick;
    CHECK_FALSE(quick.of("GET /").is_quick());
    note_quick(quick, "GET /", QuickRequests::enough_in_a_row - 1);
    CHECK_FALSE(quick.of("GET /").is_quick());
    note_quick(quick, "GET /", 1);
    CHECK(quick.of("GET /").is_quick());
    note_quick(quick, "GET /", 1000);
    SECTION("slow once, it has to begin anew") {
        quick.of("GET /").note(false);
        CHECK_FALSE(quick.of("GET /").is_quick());
        note_quick(quick, "GET /", QuickRequests::enough_in_a_row - 1);
        CHECK_FALSE(quick.of("GET /").is_quick());
    }
    SECTION("which says nothing of others") {
        CHECK_FALSE(quick.of("GET /?").is_quick());
        CHECK_FALSE(quick.of("").is_quick());
        CHECK(quick.of("GET /").is_quick());
    }
}

TEST_CASE("QuickRequests: one that was displaced is not known any more, and never taken for another") {
    QuickRequests quick;
    note_quick(quick, "GET /", QuickRequests::enough_in_a_row);
    bool displaced = false;
    for (int number = 0; number < 100'000; ++number) {
        REQUIRE_FALSE(quick.of("GET /" + std::to_string(number)).is_quick());
        displaced = displaced || !quick.of("GET /").is_quick();
    }
    CHECK(displaced);
}

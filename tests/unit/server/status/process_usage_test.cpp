#include "server/status/process_usage.hpp"

#include <string>

#include <unistd.h>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

const std::string behind_name =
    " S 1 1 1 0 -1 4194304 1 2 3 4 150 50 7 8 20 0 1 0 123 456789 100 18446744073709551615 1\n";

TEST_CASE("process usage: out of a line of /proc") {
    const auto usage = parse_usage("42 (cppcorn)" + behind_name);
    REQUIRE(usage);
    CHECK(usage->cpu_seconds == 200.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
    CHECK(usage->resident_bytes == 100U * static_cast<unsigned>(::sysconf(_SC_PAGESIZE)));
}

TEST_CASE("process usage: a name may look like anything") {
    CHECK(parse_usage("42 (a) S 1 (b" + ("))" + behind_name)).value().resident_bytes ==
          parse_usage("42 (cppcorn)" + behind_name).value().resident_bytes);
}

TEST_CASE("process usage: what is no such line is nothing") {
    CHECK_FALSE(parse_usage(""));
    CHECK_FALSE(parse_usage("42 (cppcorn) S 1 1"));
    CHECK_FALSE(parse_usage("42 cppcorn S 1 1 1"));
    CHECK_FALSE(parse_usage("42 (cppcorn) S 1 1 1 0 -1 4194304 1 2 3 4 x 50 7 8 20 0 1 0 123 456789 100 18"));
}

TEST_CASE("process usage: of a process that is there, and of none") {
    const auto own = usage_of(::getpid());
    REQUIRE(own);
    CHECK(own->resident_bytes > 0);
    CHECK_FALSE(usage_of(0));
}

} // namespace
} // namespace cppcorn

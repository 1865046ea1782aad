#include "workers/handover/open_list.hpp"

#include <algorithm>
#include <vector>

#include <fcntl.h>

#include "base/unique_fd.hpp"
#include "tests/catch.hpp"

using namespace cppcorn;

TEST_CASE("all that is open is listed, until somebody has seen enough") {
    std::vector<UniqueFd> open;
    for (int i = 0; i < 200; ++i) open.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::vector<int> found;
    const auto note = [](void* context, int fd) {
        auto& all = *static_cast<std::vector<int>*>(context);
        all.push_back(fd);
        return true;
    };
    REQUIRE(for_each_open(note, &found));
    for (const auto& each : open) CHECK(std::count(found.begin(), found.end(), each.get()) == 1);
    for (const int fd : found) CHECK(::fcntl(fd, F_GETFD) >= 0); // not the one that the list is read by
    int count = 0;
    const auto see_one = [](void* context, int) {
        ++*static_cast<int*>(context);
        return false;
    };
    CHECK(for_each_open(see_one, &count));
    CHECK(count == 1);
}

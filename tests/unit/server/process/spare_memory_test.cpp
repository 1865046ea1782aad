#include "server/process/spare_memory.hpp"

#include <cstdlib>
#include <set>
#include <vector>

#include "tests/catch.hpp"
#include "tests/sanitized.hpp"

using namespace cppcorn;

#if !CPPCORN_TEST_SANITIZED
TEST_CASE("What was free between what is used is not given again", "[spare_memory]") {
    constexpr int count = 2000;
    const auto size = static_cast<std::size_t>(GENERATE(1, 24, 25, 300, 2000));
    std::vector<void*> used;
    std::set<void*> gaps;
    for (int i = 0; i < count; ++i) {
        used.push_back(std::malloc(size));
        gaps.insert(std::malloc(size));
    }
    for (void* const each : gaps) std::free(each);
    close_gaps_of_heap();
    for (int i = 0; i < count; ++i) {
        used.push_back(std::malloc(size));
        CHECK(gaps.count(used.back()) == 0);
    }
    for (void* const each : used) std::free(each);
}
#endif

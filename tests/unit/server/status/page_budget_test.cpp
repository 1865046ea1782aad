#include "server/status/page_budget.hpp"

#include <chrono>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

const SteadyTime noon{std::chrono::hours(12)};

// One that has spent `time` at noon.
PageBudget after(SteadyClock::duration time) {
    PageBudget budget;
    CHECK(budget.allows(noon));
    budget.spend(time);
    return budget;
}

} // namespace

TEST_CASE("page budget: half a second may go at once") {
    CHECK(after(499ms).allows(noon));
    CHECK_FALSE(after(500ms).allows(noon));
}

TEST_CASE("page budget: a tenth of the time comes back, and no more than there was") {
    PageBudget budget = after(520ms);
    CHECK_FALSE(budget.allows(noon + 200ms));
    CHECK(budget.allows(noon + 210ms));

    CHECK(budget.allows(noon + 1h));
    budget.spend(500ms);
    CHECK_FALSE(budget.allows(noon + 1h));
}

TEST_CASE("page budget: pages of two milliseconds, asked for without a pause, are made for a tenth of the time") {
    PageBudget budget = after(500ms);
    int made = 0;
    for (SteadyTime now = noon; now < noon + 10s; now += 2ms) {
        if (!budget.allows(now)) continue;
        ++made;
        budget.spend(2ms);
    }
    CHECK(made > 480);
    CHECK(made < 520);
}

TEST_CASE("page budget: however long one page has taken, a second later there is another one") {
    CHECK_FALSE(after(1h).allows(noon + 1s));
    CHECK(after(1h).allows(noon + 1s + 10ms));
}

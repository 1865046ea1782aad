#include "workers/connection/deadline_heap.hpp"

#include <random>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime start{1h};

// The numbers of all entries that are due, in the order in which they come out.
std::vector<int> pop_all(DeadlineHeap& heap, SteadyTime now) {
    std::vector<int> numbers;
    while (const auto entry = heap.pop_due(now)) numbers.push_back(entry->number);
    return numbers;
}

} // namespace

TEST_CASE("DeadlineHeap: an empty one has nothing to wait for") {
    DeadlineHeap heap;
    CHECK(heap.size() == 0);
    CHECK_FALSE(heap.earliest().has_value());
    CHECK_FALSE(heap.pop_due(SteadyTime::max()).has_value());
}

TEST_CASE("DeadlineHeap: entries come out by their time, not by when they went in") {
    DeadlineHeap heap;
    heap.push({start + 3s, 3, 1});
    heap.push({start + 1s, 1, 1});
    heap.push({start + 2s, 2, 1});
    CHECK(heap.earliest() == start + 1s);
    CHECK(pop_all(heap, start + 3s) == std::vector<int>{1, 2, 3});
    CHECK(heap.size() == 0);
}

TEST_CASE("DeadlineHeap: an entry is due at its time, and not before") {
    DeadlineHeap heap;
    heap.push({start + 1s, 1, 1});
    heap.push({start + 2s, 2, 1});
    CHECK_FALSE(heap.pop_due(start + 1s - 1ns).has_value());
    CHECK(pop_all(heap, start + 1s) == std::vector<int>{1});
    CHECK(heap.earliest() == start + 2s);
    CHECK(heap.size() == 1);
}

TEST_CASE("DeadlineHeap: an entry comes back as it was pushed") {
    DeadlineHeap heap;
    heap.push({start, 17, 4711});
    const auto entry = heap.pop_due(start);
    REQUIRE(entry.has_value());
    CHECK(entry->at == start);
    CHECK(entry->number == 17);
    CHECK(entry->generation == 4711);
}

TEST_CASE("DeadlineHeap: one connection may have several entries") {
    DeadlineHeap heap;
    heap.push({start + 5s, 1, 1});
    heap.push({start + 2s, 1, 1});
    CHECK(heap.size() == 2);
    CHECK(heap.pop_due(start + 5s)->at == start + 2s);
    CHECK(heap.pop_due(start + 5s)->at == start + 5s);
}

TEST_CASE("DeadlineHeap: keep_if drops the others and leaves the order whole") {
    DeadlineHeap heap;
    for (int number = 9; number >= 0; --number) heap.push({start + number * 1s, number, 1});
    heap.keep_if([](const DeadlineHeap::Entry& entry) { return entry.number % 3 == 0; });
    CHECK(heap.size() == 4);
    CHECK(heap.earliest() == start);
    heap.push({start + 4s, 4, 1});
    CHECK(pop_all(heap, start + 1h) == std::vector<int>{0, 3, 4, 6, 9});
}

TEST_CASE("DeadlineHeap: keep_if that keeps none leaves an empty one") {
    DeadlineHeap heap;
    heap.push({start, 1, 1});
    heap.keep_if([](const DeadlineHeap::Entry&) { return false; });
    CHECK(heap.size() == 0);
    CHECK_FALSE(heap.earliest().has_value());
}

TEST_CASE("DeadlineHeap: thousands of entries come out sorted, also where some go meanwhile") {
    std::mt19937 dice(1);
    DeadlineHeap heap;
    for (int number = 0; number < 5000; ++number)
        heap.push({start + std::chrono::milliseconds(dice() % 1000), number, 1});
    heap.keep_if([](const DeadlineHeap::Entry& entry) { return entry.number % 2 == 0; });
    SteadyTime last = start;
    int count = 0;
    while (const auto entry = heap.pop_due(start + 1s)) {
        if (entry->at < last) FAIL("entry " << entry->number << " comes too late");
        last = entry->at;
        ++count;
    }
    CHECK(count == 2500);
}

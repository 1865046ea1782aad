#include "base/arena.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "tests/catch.hpp"

using namespace cppcorn;

TEST_CASE("arena: blocks do not overlap, and are used again") {
    Arena arena(1 << 20);
    void* const first = arena.allocate(100);
    void* const second = arena.allocate(100);
    REQUIRE(first != nullptr);
    REQUIRE(second != nullptr);
    std::memset(first, 1, 100);
    std::memset(second, 2, 100);
    CHECK(static_cast<char*>(first)[99] == 1);
    CHECK(arena.contains(first));
    CHECK(arena.used() == 256);
    arena.deallocate(first, 100);
    CHECK(arena.allocate(128) == first);
}

TEST_CASE("arena: where there is no room, there is no block") {
    Arena arena(1 << 16);
    CHECK(arena.allocate(1 << 17) == nullptr);
    std::set<void*> blocks;
    for (int i = 0; i < 4; ++i) blocks.insert(arena.allocate(1 << 14));
    CHECK(blocks.size() == 4);
    CHECK(blocks.count(nullptr) == 0);
    CHECK(arena.allocate(64) == nullptr);
    arena.deallocate(*blocks.begin(), 1 << 14);
    CHECK(arena.allocate(1 << 14) == *blocks.begin());
}

TEST_CASE("arena: a large block comes back empty") {
    Arena arena(1 << 20);
    arena.allocate(64); // before it, in the first page
    char* const block = static_cast<char*>(arena.allocate(1 << 17));
    std::memset(block, 1, 1 << 17);
    arena.deallocate(block, 1 << 17);
    CHECK(arena.allocate(1 << 17) == block);
    CHECK(block[0] == 0);
    CHECK(arena.used() == (std::size_t{1} << 17) + 64);
}

TEST_CASE("arena: of many smaller blocks most come back empty") {
    Arena arena(1 << 22);
    std::vector<char*> blocks;
    for (int i = 0; i < 100; ++i) {
        blocks.push_back(static_cast<char*>(arena.allocate(1 << 14)));
        std::memset(blocks.back(), 1, 1 << 14);
    }
    for (char* const block : blocks) arena.deallocate(block, 1 << 14);
    CHECK(std::count_if(blocks.begin(), blocks.end(), [](const char* block) { return *block == 0; }) == 36);
}

TEST_CASE("arena: bytes are in the current one, and on the heap without it or without room") {
    Bytes on_heap(1000, 'x');
    Arena arena(1 << 16);
    CHECK_FALSE(arena.contains(on_heap.data()));
    {
        Arena::make_current(&arena);
        Bytes bytes(1000, 'x');
        CHECK(arena.contains(bytes.data()));
        Bytes too_many(1 << 17, 'x');
        CHECK_FALSE(arena.contains(too_many.data()));
        on_heap = bytes;
    }
    CHECK(arena.used() <= 2048);
    on_heap = Bytes();
    Arena::make_current(nullptr);
    CHECK(arena.used() == 0);
}

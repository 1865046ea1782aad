#include "workers/handover/worker_notes.hpp"

#include <atomic>
#include <limits>

#include "tests/catch.hpp"

using namespace cppcorn;

TEST_CASE("a note of a descriptor may have anything in it") {
    std::atomic<int> note{0};
    CHECK(WorkerNotes::descriptor_of(note) == -1);
    note = 1;
    CHECK(WorkerNotes::descriptor_of(note) == 0);
    note = std::numeric_limits<int>::max();
    CHECK(WorkerNotes::descriptor_of(note) == std::numeric_limits<int>::max() - 1);
    for (const int spoilt : {-1, std::numeric_limits<int>::min()}) {
        note = spoilt;
        CHECK(WorkerNotes::descriptor_of(note) == -1);
    }
}

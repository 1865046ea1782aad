// Around each change of a record in shared memory, so that others who read it meanwhile know that it is not whole.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/counter.hpp"

namespace cppcorn {

// For as long as it lives, the record changes. Its only writer's.
class RecordChange {
  public:
    // `version`: the record's. Odd while it changes; 0: nothing was ever written.
    explicit RecordChange(Counter& version) : version_(version) {
        version_.set(version_.value() + 1);
        std::atomic_thread_fence(std::memory_order_release);
    }
    ~RecordChange() {
        std::atomic_thread_fence(std::memory_order_release);
        version_.set(version_.value() + 1);
    }
    RecordChange(const RecordChange&) = delete;
    RecordChange& operator=(const RecordChange&) = delete;

  private:
    Counter& version_;
};

// Runs `read`, which copies the record. False if it has changed meanwhile, a few times over, or was never written.
template <class Read>
bool read_record(const Counter& version, Read read) {
    constexpr int most_tries = 3;
    for (int tries = 0; tries < most_tries; ++tries) {
        const std::uint64_t before = version.value();
        if (before % 2 != 0 || before == 0) continue;
        std::atomic_thread_fence(std::memory_order_acquire);
        read();
        std::atomic_thread_fence(std::memory_order_acquire);
        if (version.value() == before) return true;
    }
    return false;
}

} // namespace cppcorn

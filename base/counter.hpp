// A number that one process changes and others read, in memory that they share: one aligned word, so that what is read
// is a number that stood there, whole. Two counters that are read one after the other may stand for two instants.
#pragma once

#include <cstdint>
#include <type_traits>

namespace cppcorn {

// Plain data, zero at first where the memory is.
class Counter {
  public:
    // By its only writer: plain loads and stores.
    void add(std::uint64_t count = 1) { set(value() + count); }
    void subtract(std::uint64_t count = 1) { set(value() - count); }
    void set(std::uint64_t value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
    // Where several processes write. Async-signal-safe.
    void add_shared(std::uint64_t count = 1) { __atomic_fetch_add(&value_, count, __ATOMIC_RELAXED); }

    // The same, and the value after it.
    std::uint64_t next_shared() { return __atomic_add_fetch(&value_, 1, __ATOMIC_RELAXED); }

    std::uint64_t value() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

  private:
    std::uint64_t value_ = 0;
};

static_assert(std::is_trivially_copyable_v<Counter> && sizeof(Counter) == 8);

} // namespace cppcorn

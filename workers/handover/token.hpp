// Whose the connections of a worker are: its own, or, while it is in the app, whoever's of the two that takes them. One
// word that both share, and a store and a compare-and-swap a call of the app.
//
//     worker ──lend(), lend_again()──► lent ──take()──► understudy
//       ▲                               │  ◄──give()──────┘
//       └──────────take_back()──────────┘
#pragma once

#include <atomic>
#include <cstdint>

namespace cppcorn {

// Shared memory, zero at first. `Atomic` is std::atomic, but in a test that tries each order of its steps.
template <template <class> class Atomic>
class BasicToken {
  public:
    // Tells one call of the app from another.
    using Call = std::uint64_t;

    // Worker: it goes into the app.
    void lend() {
        const std::uint64_t call = (word_.load(std::memory_order_relaxed) | owner_bits) + 1;
        word_.store(call | lent, std::memory_order_release);
    }
    // Worker: after take_back() in the midst of a call, which goes on.
    void lend_again() {
        const std::uint64_t word = word_.load(std::memory_order_relaxed);
        word_.store((word & ~owner_bits) | lent, std::memory_order_release);
    }
    // Worker: it is back. False: the understudy has it at this moment and gives it back in microseconds, or has died
    // with it.
    bool take_back() {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        if ((word & owner_bits) == worker) return true;
        if ((word & owner_bits) == understudy) return false;
        return word_.compare_exchange_strong(word, word & ~owner_bits, std::memory_order_acquire);
    }
    // Worker: the understudy is dead.
    void seize() { word_.fetch_and(~owner_bits, std::memory_order_acquire); }

    // The call that the worker is in, or was in last.
    Call call() const { return word_.load(std::memory_order_acquire) & ~owner_bits; }

    // Understudy: true if the worker is in that call. What follows is to be short.
    bool take(Call call) {
        std::uint64_t word = call | lent;
        return word_.compare_exchange_strong(word, call | understudy, std::memory_order_acquire);
    }
    void give() {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        if ((word & owner_bits) == understudy) {
            word_.compare_exchange_strong(word, (word & ~owner_bits) | lent, std::memory_order_release);
        }
    }

  private:
    static constexpr std::uint64_t owner_bits = 3;
    static constexpr std::uint64_t worker = 0;
    static constexpr std::uint64_t lent = 1;
    static constexpr std::uint64_t understudy = 2;

    Atomic<std::uint64_t> word_;
};

using Token = BasicToken<std::atomic>;

} // namespace cppcorn

// Whose the connections of a worker are: its own, or, while it is in the app, whoever's of the two that takes them. One
// word that both share, and two compare-and-swaps a request.
//
//     worker ──lend()──► lent ──take()──► understudy
//       ▲                 │  ◄──give()──────┘
//       └───take_back()───┘
#pragma once

#include <atomic>
#include <cstdint>

namespace cppcorn {

// Shared memory, zero at first.
class Token {
  public:
    enum class Owner : std::uint32_t { worker, lent, understudy };

    // Worker: it goes into the app.
    void lend() { owner_.store(Owner::lent, std::memory_order_release); }
    // Worker: it is back. False: the understudy has it at this moment and gives it back in microseconds, or has died
    // with it.
    bool take_back() {
        Owner expected = Owner::lent;
        return owner_.compare_exchange_strong(expected, Owner::worker, std::memory_order_acquire) ||
               expected == Owner::worker;
    }
    // Worker: the understudy is dead.
    void seize() { owner_.store(Owner::worker, std::memory_order_release); }

    // Understudy: true if the worker is in the app. What follows is to be short.
    bool take() {
        Owner expected = Owner::lent;
        return owner_.compare_exchange_strong(expected, Owner::understudy, std::memory_order_acquire);
    }
    void give() {
        Owner expected = Owner::understudy;
        owner_.compare_exchange_strong(expected, Owner::lent, std::memory_order_release);
    }

    Owner owner() const { return owner_.load(std::memory_order_acquire); }

  private:
    std::atomic<Owner> owner_;
};

} // namespace cppcorn

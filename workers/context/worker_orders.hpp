// What the master asks of a worker, in memory that both share. Beside it there is a bell (base/bell.hpp) that wakes the
// worker's loop; a worker that is busy sees what is asked without a system call. An order that was not obeyed yet is
// not given twice, so a worker that does not listen costs the master nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace cppcorn {

enum class WorkerOrder : std::uint8_t {
    retire = 1U << 0U,          // finish what has begun, then exit
    exit = 1U << 1U,            // at once, or after the request that the app is busy with
    reopen_logs = 1U << 2U,     // they were moved
    answer = 1U << 3U,          // do nothing: that this is taken shows that the loop turns
    make_understudy = 1U << 4U, // the one that there was has died
};

// The bits above those are an order of their own: the error log is to have another level.
class WorkerOrders {
  public:
    // Some of them, out of the shared memory.
    class Taken {
      public:
        explicit Taken(std::uint8_t bits) : bits_(bits) {}
        bool contains(WorkerOrder order) const { return (bits_ & static_cast<std::uint8_t>(order)) != 0; }
        // The number of the level; nullopt: it stays as it is.
        std::optional<unsigned> log_level() const {
            const unsigned level = bits_ >> level_shift;
            return level == 0 ? std::nullopt : std::optional(level - 1);
        }

      private:
        std::uint8_t bits_;
    };

    // Master: ring the bell after it.
    void give(WorkerOrder order) { bits_.fetch_or(static_cast<std::uint8_t>(order), std::memory_order_release); }
    // Master: the same with the number of a level of the log, in the place of one that was not obeyed yet.
    void give_log_level(unsigned level) {
        std::uint8_t before = bits_.load(std::memory_order_relaxed);
        const auto with_level = [&] {
            return static_cast<std::uint8_t>((before & order_bits) | ((level + 1) << level_shift));
        };
        while (!bits_.compare_exchange_weak(before, with_level(), std::memory_order_release)) {
        }
    }
    // Master: before a new worker gets the slot.
    void clear() { bits_.store(0); }

    // Worker: nothing is given that is not taken by this or the next call.
    Taken take() { return Taken(bits_.exchange(0, std::memory_order_acquire)); }
    bool any() const { return bits_.load(std::memory_order_relaxed) != 0; }
    // It is to retire or exit, and has not taken that yet.
    bool end_wanted() const { return (bits_.load(std::memory_order_relaxed) & end_bits) != 0; }

    bool exit_wanted() const { return waiting().contains(WorkerOrder::exit); }

    // Either: what was given and not taken.
    Taken waiting() const { return Taken(bits_.load(std::memory_order_acquire)); }

    static constexpr unsigned highest_log_level = 6;

  private:
    static constexpr unsigned level_shift = 5;
    static constexpr unsigned order_bits = (1U << level_shift) - 1;
    static constexpr auto end_bits =
        static_cast<std::uint8_t>(WorkerOrder::retire) | static_cast<std::uint8_t>(WorkerOrder::exit);

    std::atomic<std::uint8_t> bits_{0};
};

} // namespace cppcorn

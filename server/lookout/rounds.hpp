// What the lookout does when: at which times it looks at the workers' slots, whose understudy it rings at such a look,
// and when it falls asleep. Pure: it makes no system call, and the time is an argument.
//
//     looking ──nothing for 100 ms──► dozing ──nothing at one more look──► asleep
//        ▲                              │                                    │
//        └──────── anything ────────────┴───────────── woken() ─────────────┘
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.hpp"

namespace cppcorn {

class LookoutRounds {
  public:
    // What a slot of the scoreboard shows.
    struct Sight {
        bool busy = false;
        std::uint64_t requests = 0; // that were served
    };
    using Watch = std::function<Sight(int slot)>;

    enum class State {
        looking,
        dozing, // whoever begins a request wakes it from now on; it looks once more, for one that had not seen that
        asleep,
    };

    // Between two looks: a request that is seen at both has run for so long.
    static constexpr Milliseconds pace{3};
    // Each look breaks off the work of two or three processes, so there are fewer where requests are short: after a look
    // at which nobody was busy, but not for this long after it was woken, or after a request has taken its time.
    static constexpr Milliseconds calm_pace{12};
    static constexpr Milliseconds attentive_after_sleep{100};
    static constexpr Milliseconds attentive_after_slow{10'000};
    static constexpr int looks_at_slow{4};        // in a row; a worker that was not given a processor is seen at fewer
    static constexpr Milliseconds ring_again{50}; // while the same request runs
    static constexpr Milliseconds sleep_after{100};

    // The worker in that slot has an understudy from now on. Once more: it is another one.
    void add(int slot);
    void remove(int slot);

    // Somebody has begun a request while it slept, or there are others to look at: the next look is due now.
    void woken(SteadyTime now);
    // Looks, when that is due. The slots whose understudies are to be rung, valid until the next call.
    const std::vector<int>& look(SteadyTime now, const Watch& watch);

    // When the next look is due; SteadyTime::max() while it is asleep.
    SteadyTime due() const { return due_; }
    State state() const { return state_; }

  private:
    struct Row {
        int slot;
        Sight seen;
        int looks = 0;        // in a row, at the request that is seen
        SteadyTime rung_at{}; // for it; zero: not yet
    };

    // Whether something goes on in that slot, or has since the last look.
    bool look_at(Row& row, Sight sight, SteadyTime now);
    void proceed(bool anything, SteadyTime now);

    State state_ = State::looking;
    SteadyTime due_{};
    SteadyTime quiet_since_{};
    SteadyTime attentive_until_{};
    std::vector<Row> rows_;
    std::vector<int> to_ring_;
};

} // namespace cppcorn

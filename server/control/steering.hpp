// What comes of orders in the master: begins each, watches those that take their time, and writes into the order book what
// has become of them. What signals ask for as well is done as for a signal, and allowed and refused by the same table.
//
// The arbiter's. No order holds the master up: whatever takes time is looked at in each turn of its loop. Nothing throws.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "server/control/order.hpp"
#include "server/post_mortem/post_mortems.hpp"
#include "server/release/deployment.hpp"
#include "server/status/service_facts.hpp"
#include "server/supervision/interpreter_stack.hpp"
#include "server/supervision/master_state.hpp"
#include "server/supervision/order_book.hpp"
#include "server/supervision/workforce.hpp"

namespace cppcorn {

class Steering {
  public:
    // The arbiter's part: to stop (also after a delay), reload and reopen logs. `cause` is for the log.
    using Act = std::function<void(MasterAction action, const std::string& cause)>;

    // All references outlive it.
    Steering(MasterLife& life, Deployment& deployment, Workforce& workforce, PostMortems& post_mortems, Act act);

    // Those that have come, a few at a time.
    void take_orders();
    void supervise(SteadyTime now);
    // When that has something to do if nothing happens before; SteadyTime::max() for never.
    SteadyTime due() const;

  private:
    // Of an order that is begun; running: it is heard of again.
    struct Outcome {
        OrderState state;
        int code;
        std::string text;
    };
    struct Reload {
        std::uint64_t number = 0;
        bool waits_for_old = false;
        SteadyTime began{};
        ServiceFacts before;
        std::array<std::uint64_t, reload_result_count> results{}; // before it
        int serving = 0;                                          // workers, when last looked at
        SteadyTime give_up_at{};
        unsigned new_generation = 0; // once it is done, but for the old ones' end
        std::string text;            // from then on
    };
    struct AskedStack {
        std::uint64_t number;
        std::string headline;
    };
    struct Recycling {
        std::uint64_t number;
        pid_t pid;
        SteadyTime give_up_at;
    };

    static Outcome done(std::string text);
    static Outcome failed(int code, std::string text);
    static Outcome running();

    Outcome begin(const NumberedOrder& numbered);
    Outcome begin_reload(const NumberedOrder& numbered);
    Outcome scale(std::int64_t workers, const std::string& cause);
    Outcome stop(const std::string& cause);
    Outcome recycle(std::uint64_t number, int slot);
    Outcome show_stack(std::uint64_t number, int slot);
    // Of an interpreter. nullopt: there is none to be asked.
    std::optional<Outcome> ask_interpreter_for_stack(std::uint64_t number, const WorkerEntry& worker,
                                                     const Death& facts);
    Outcome change_level(LogLevel level);
    Outcome drain();
    // nullopt: the signal would do something now, and the life of the master is what it is after it.
    std::optional<Outcome> refused(int signal, MasterReaction& reaction);

    std::optional<Outcome> look_at_reload(SteadyTime now);
    std::optional<Outcome> reload_result(SteadyTime now);
    bool has_old_workers() const;
    std::optional<Outcome> look_at(const Recycling& recycling, SteadyTime now) const;
    void note(std::uint64_t number, const Outcome& outcome);
    // And in the log, where the order with these words has failed.
    void note(std::uint64_t number, const Outcome& outcome, std::string_view words);
    const WorkerEntry* worker_in(int slot) const;
    SteadyTime patience_from(SteadyTime now) const;

    MasterLife& life_;
    Deployment& deployment_;
    Workforce& workforce_;
    PostMortems& post_mortems_;
    Act act_;
    std::optional<Reload> reload_;
    std::vector<Recycling> recyclings_;
    InterpreterStack stack_;
    std::optional<AskedStack> asked_stack_;
};

} // namespace cppcorn

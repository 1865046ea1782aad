// What one worker and the master tell each other without a system call: a slot in memory that both share. The worker
// says what it does, the master what it asks for, with plain atomic stores and loads. Both are forks of one program, so
// the layout needs no version.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "workers/context/worker_counters.hpp"
#include "workers/context/worker_orders.hpp"

namespace cppcorn {

// Where a worker is in its life, to be told where it ended: in which of the app's functions, if it serves no request.
enum class WorkerPhase : std::uint8_t { loading, worker_start, serving, worker_exit, destroy };

struct alignas(64) ScoreboardSlot {
    // Worker: a request begins; deadline is SteadyTime::max() for none. The line is cut to what fits; no id is longer.
    void begin_request(std::string_view line, const char (&address)[46], std::string_view id, SteadyTime now,
                       SteadyTime deadline) {
        std::atomic_thread_fence(std::memory_order_release); // for current(): the request before is over
        const auto size = std::min(line.size(), sizeof line_);
        std::memcpy(line_, line.data(), size);
        std::memcpy(address_, address, sizeof address_);
        line_size_.store(static_cast<std::uint32_t>(size), std::memory_order_relaxed);
        const auto id_size = std::min(id.size(), sizeof id_);
        if (id_size == usual_id_size) {
            std::memcpy(id_, id.data(), usual_id_size);
        } else {
            std::memcpy(id_, id.data(), id_size);
        }
        id_size_.store(static_cast<std::uint8_t>(id_size), std::memory_order_relaxed);
        began_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        begun_.store(false, std::memory_order_relaxed);
        deadline_ns_.store(deadline.time_since_epoch().count(), std::memory_order_release);
    }
    // Some of its response may have gone out.
    void note_begun() { begun_.store(true, std::memory_order_relaxed); }
    bool begun() const { return begun_.load(std::memory_order_relaxed); }
    void extend_deadline(SteadyTime deadline) {
        deadline_ns_.store(deadline.time_since_epoch().count(), std::memory_order_release);
    }
    void end_request() {
        deadline_ns_.store(idle, std::memory_order_release);
        requests_.store(requests_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    // Worker: the app was asked before the request's body is here, and there is no answer yet.
    void interrupt_request() {
        interruptions_.store(interruptions_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        deadline_ns_.store(idle, std::memory_order_release);
    }

    // Worker: from now on it does that.
    void enter(WorkerPhase phase) { phase_.store(phase, std::memory_order_relaxed); }
    WorkerPhase phase() const { return phase_.load(std::memory_order_relaxed); }

    // Master: no worker is left to take over what waits in the backlog, so this one, retiring, is to serve it.
    void drain_backlog() { set(drains_backlog_bit); }
    bool drains_backlog() const { return has(drains_backlog_bit); }

    // Master: no worker is left to take over this one's connections. Retiring, it ends them, once they are answered.
    void end_connections() { set(ends_connections_bit); }
    bool ends_connections() const { return has(ends_connections_bit); }

    // Master: the service is to get no more requests: each connection ends with its next answer.
    void set_draining(bool drains) {
        if (drains) return set(draining_bit);
        from_master_.fetch_and(static_cast<std::uint8_t>(~draining_bit), std::memory_order_release);
    }
    bool is_draining() const { return has(draining_bit); }

    // Worker: the process that goes on with its connections should it die. 0: there is none. Master: it is one of its
    // children only if waiting for it says so.
    void set_understudy(std::int32_t pid) { understudy_.store(pid, std::memory_order_relaxed); }
    std::int32_t understudy() const { return understudy_.load(std::memory_order_relaxed); }

    // What the master asks of the worker.
    WorkerOrders& orders() { return orders_; }
    const WorkerOrders& orders() const { return orders_; }

    // Master: before a new worker gets the slot.
    void clear() {
        orders_.clear();
        from_master_.store(0);
        phase_.store(WorkerPhase::loading);
        deadline_ns_.store(idle);
        requests_.store(0);
        understudy_.store(0);
        for (auto& count : counters.connections) count.set(0);
    }
    bool busy() const { return deadline_ns_.load(std::memory_order_acquire) != idle; }
    // Of the request that is served; nullopt while none is. One load: asked in two steps, a request that ends between
    // them would look long overdue.
    std::optional<SteadyTime> request_deadline() const {
        const std::int64_t ns = deadline_ns_.load(std::memory_order_acquire);
        return ns == idle ? std::nullopt : std::optional(at(ns));
    }
    SteadyTime deadline() const { return at(deadline_ns_.load(std::memory_order_acquire)); }
    SteadyTime began() const { return at(began_ns_.load(std::memory_order_relaxed)); }
    std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
    // The request line that is being served, or was last. Meaningful to read while busy(), or once the worker is dead.
    // Escape it before it is logged.
    std::string line() const {
        return {line_, std::min<std::size_t>(line_size_.load(std::memory_order_relaxed), sizeof line_)};
    }

    struct Current {
        std::string line;
        std::string address;
        std::string id;
        SteadyTime began;
    };
    // The request that is served, for others than the master: the worker goes on while they read. nullopt where there is
    // none, or where there is another one each time; never parts of two.
    std::optional<Current> current() const {
        constexpr int most_tries = 3;
        for (int tries = 0; tries < most_tries; ++tries) {
            const std::uint64_t before = requests_.load(std::memory_order_acquire);
            const std::uint32_t interrupted = interruptions_.load(std::memory_order_acquire);
            const std::int64_t deadline = deadline_ns_.load(std::memory_order_acquire);
            if (deadline == idle) return std::nullopt;
            Current current{line(), address(), request_id(), began()};
            std::atomic_thread_fence(std::memory_order_acquire);
            const bool is_same = requests_.load(std::memory_order_relaxed) == before &&
                                 interruptions_.load(std::memory_order_relaxed) == interrupted &&
                                 deadline_ns_.load(std::memory_order_relaxed) != idle;
            if (is_same) return current;
        }
        return std::nullopt;
    }

    // Its id. Nothing in it has to be escaped.
    std::string request_id() const {
        return {id_, std::min<std::size_t>(id_size_.load(std::memory_order_relaxed), sizeof id_)};
    }

    // The client whose request that is.
    std::string address() const { return {address_, ::strnlen(address_, sizeof address_)}; }

  private:
    static constexpr std::int64_t idle = 0;
    static constexpr std::size_t usual_id_size = 32; // of those that the server makes
    static constexpr std::uint8_t drains_backlog_bit = 1;
    static constexpr std::uint8_t ends_connections_bit = 2;
    static constexpr std::uint8_t draining_bit = 4;

    void set(std::uint8_t bit) { from_master_.fetch_or(bit, std::memory_order_release); }
    bool has(std::uint8_t bit) const { return (from_master_.load(std::memory_order_acquire) & bit) != 0; }
    static SteadyTime at(std::int64_t ns) { return SteadyTime(SteadyClock::duration(ns)); }

    std::atomic<std::int64_t> deadline_ns_{idle};
    std::atomic<std::int64_t> began_ns_{0};
    std::atomic<std::uint64_t> requests_{0};
    std::atomic<std::uint32_t> line_size_{0};
    std::atomic<std::int32_t> understudy_{0};
    std::atomic<std::uint32_t> interruptions_{0}; // of requests, ever
    std::atomic<std::uint8_t> from_master_{0};
    std::atomic<bool> begun_{false};
    WorkerOrders orders_;
    std::atomic<WorkerPhase> phase_{WorkerPhase::loading};
    char address_[46]{};
    std::atomic<std::uint8_t> id_size_{0};
    char line_[172]{};
    char id_[200]{};

  public:
    WorkerCounters counters; // clear() leaves them, but for the connections that there are
};

static_assert(sizeof(ScoreboardSlot) == 5696); // of which the lookout reads the first cache line
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

} // namespace cppcorn

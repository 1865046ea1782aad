// The deadlines of many connections, for a loop that waits for the next. A connection's deadline moves with every
// request, mostly to later; such a move costs nothing: the old entry stays, and is put right when its time comes. Knows
// connections by their number only.
#pragma once

#include <chrono>
#include <optional>
#include <queue>
#include <vector>

namespace cppcorn {

class DeadlineHeap {
  public:
    using Time = std::chrono::steady_clock::time_point;

    struct Entry {
        Time at;
        int number;          // the connection's descriptor
        unsigned generation; // tells connections apart that had the same descriptor
        bool operator>(const Entry& other) const { return at > other.at; }
    };

    void push(Entry entry) { heap_.push(entry); }

    // The time of the earliest entry, which may be stale.
    std::optional<Time> earliest() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.top().at;
    }

    // Takes out one entry whose time has come. The caller looks whether the connection still exists and is overdue now,
    // and pushes its present deadline if it is not.
    std::optional<Entry> pop_due(Time now) {
        if (heap_.empty() || heap_.top().at > now) return std::nullopt;
        const Entry entry = heap_.top();
        heap_.pop();
        return entry;
    }

  private:
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

} // namespace cppcorn

// The deadlines of many connections, for a loop that waits for the next. A connection's deadline moves with every
// request, mostly to later; such a move costs nothing: the old entry stays, and is put right when its time comes. Knows
// connections by their number only.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace cppcorn {

class DeadlineHeap {
  public:
    struct Entry {
        SteadyTime at;
        int number;          // the connection's descriptor
        unsigned generation; // tells connections apart that had the same descriptor
        bool operator>(const Entry& other) const { return at > other.at; }
    };

    void push(Entry entry) {
        heap_.push_back(entry);
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }

    std::size_t size() const { return heap_.size(); }

    // The time of the earliest entry, which may be stale.
    std::optional<SteadyTime> earliest() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().at;
    }

    // Takes out one entry whose time has come. The caller looks whether the connection still exists and is overdue now,
    // and pushes its present deadline if it is not.
    std::optional<Entry> pop_due(SteadyTime now) {
        if (heap_.empty() || heap_.front().at > now) return std::nullopt;
        std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
        const Entry entry = heap_.back();
        heap_.pop_back();
        return entry;
    }

    // Drops the other entries.
    template <class Predicate>
    void keep_if(Predicate wanted) {
        heap_.erase(std::remove_if(heap_.begin(), heap_.end(), [&](const Entry& entry) { return !wanted(entry); }),
                    heap_.end());
        std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    }

  private:
    std::vector<Entry> heap_;
};

} // namespace cppcorn

#include "server/lookout/rounds.hpp"

#include <algorithm>

namespace cppcorn {

void LookoutRounds::add(int slot) {
    remove(slot);
    rows_.push_back({slot, {}, {}});
}

void LookoutRounds::remove(int slot) {
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.slot == slot; }),
                rows_.end());
}

// While it looks, the pace is kept: two looks in a shorter time would take a young request for an old one.
void LookoutRounds::woken(SteadyTime now) {
    if (state_ == State::asleep) due_ = now;
    state_ = State::looking;
    quiet_since_ = now;
}

const std::vector<int>& LookoutRounds::look(SteadyTime now, const Watch& watch) {
    to_ring_.clear();
    bool anything = false;
    for (Row& row : rows_) anything = look_at(row, watch(row.slot), now) || anything;
    due_ = now + pace;
    proceed(anything, now);
    return to_ring_;
}

bool LookoutRounds::look_at(Row& row, Sight sight, SteadyTime now) {
    const bool same = sight.requests == row.seen.requests;
    const bool was_busy = row.seen.busy;
    row.seen = sight;
    if (!sight.busy || !was_busy || !same) {
        row.rung_at = {};
        return sight.busy || !same;
    }
    if (row.rung_at == SteadyTime{} || now >= row.rung_at + ring_again) {
        row.rung_at = now;
        to_ring_.push_back(row.slot);
    }
    return true;
}

void LookoutRounds::proceed(bool anything, SteadyTime now) {
    if (anything) {
        state_ = State::looking;
        quiet_since_ = now;
    } else if (state_ == State::dozing) {
        state_ = State::asleep;
        due_ = SteadyTime::max();
    } else if (now >= quiet_since_ + sleep_after) {
        state_ = State::dozing;
    }
}

} // namespace cppcorn

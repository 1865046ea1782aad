#include "server/lookout/rounds.hpp"

#include <algorithm>

namespace cppcorn {

void LookoutRounds::add(int slot) {
    remove(slot);
    rows_.push_back({slot, {}, 0, {}});
}

void LookoutRounds::remove(int slot) {
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.slot == slot; }),
                rows_.end());
}

// Two looks in less than the pace would take a young request for an old one.
void LookoutRounds::woken(SteadyTime now) {
    due_ = state_ == State::asleep ? now : std::min(due_, now + pace);
    state_ = State::looking;
    attentive_until_ = std::max(attentive_until_, now + attentive_after_sleep);
    quiet_since_ = now;
}

const std::vector<int>& LookoutRounds::look(SteadyTime now, const Watch& watch) {
    to_ring_.clear();
    bool anything = false;
    bool anybody_is_busy = false;
    for (Row& row : rows_) {
        anything = look_at(row, watch(row.slot), now) || anything;
        anybody_is_busy = anybody_is_busy || row.seen.busy;
    }
    due_ = now + (anybody_is_busy || now < attentive_until_ ? pace : calm_pace);
    proceed(anything, now);
    return to_ring_;
}

bool LookoutRounds::look_at(Row& row, Sight sight, SteadyTime now) {
    const bool same = sight.requests == row.seen.requests;
    const bool was_busy = row.seen.busy;
    row.seen = sight;
    if (!sight.busy || !was_busy || !same) {
        row.looks = 1;
        row.rung_at = {};
        return sight.busy || !same;
    }
    if (++row.looks >= looks_at_slow) attentive_until_ = now + attentive_after_slow;
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

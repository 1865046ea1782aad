#include "server/release/rollout.hpp"

#include <algorithm>

namespace cppcorn {

using enum RolloutCommand;

Rollout::Commands Rollout::start() {
    binding_ = true;
    return {bind};
}

Rollout::Commands Rollout::begin() {
    const bool may_bind = candidate_ == nullptr && (has_adopted() || !binding_);
    if (may_bind) {
        binding_ = true;
        return {bind};
    }
    queued_ = true;
    return {};
}

Rollout::Commands Rollout::bound(std::shared_ptr<Release> candidate) {
    binding_ = false;
    candidate_ = std::move(candidate);
    return {probe};
}

Rollout::Commands Rollout::passed() {
    return {adopt};
}

Rollout::Commands Rollout::failed() {
    binding_ = false;
    candidate_.reset();
    if (!has_adopted()) return {give_up};
    if (!std::exchange(queued_, false)) return {keep};
    binding_ = true;
    return {keep, bind};
}

Rollout::Commands Rollout::adopted() {
    const std::shared_ptr<Release> before = std::exchange(current_, std::exchange(candidate_, nullptr));
    if (has_adopted() && previous_ == nullptr) previous_ = before;
    by_generation_[++newest_generation_] = current_;
    close_others();
    if (!std::exchange(queued_, false)) return {};
    binding_ = true;
    return {bind};
}

void Rollout::settled() {
    if (previous_ == nullptr) return;
    previous_.reset();
    close_others();
}

Rollout::Commands Rollout::hopeless() {
    if (previous_ == nullptr) return {give_up};
    current_ = std::exchange(previous_, nullptr);
    close_others();
    return {roll_back};
}

void Rollout::stop() {
    queued_ = binding_ = false;
    candidate_.reset();
    previous_.reset();
    current_->listeners.clear();
    current_->mold.reset();
    close_others();
}

std::shared_ptr<Release> Rollout::release_of(unsigned generation) const {
    const auto found = by_generation_.find(generation);
    return found == by_generation_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Release>> Rollout::releases() const {
    std::vector<std::shared_ptr<Release>> releases;
    for (const auto& [generation, release] : by_generation_) releases.push_back(release);
    const bool is_listed = std::find(releases.begin(), releases.end(), current_) != releases.end();
    if (!is_listed) releases.push_back(current_); // no worker runs it yet
    if (candidate_ != nullptr && candidate_ != current_) releases.push_back(candidate_);
    return releases;
}

void Rollout::forget_unused(const std::function<bool(unsigned generation)>& has_workers) {
    for (auto entry = by_generation_.begin(); entry != by_generation_.end();) {
        const auto& [generation, release] = *entry;
        const bool is_needed = release == current_ || release == previous_ || has_workers(generation);
        entry = is_needed ? std::next(entry) : by_generation_.erase(entry);
    }
}

// Nobody returns to those: they keep only their logs. Their workers have sockets of their own.
void Rollout::close_others() {
    for (const auto& [generation, release] : by_generation_) {
        if (release == current_ || release == previous_) continue;
        release->listeners.clear();
        release->status_listeners.clear();
        release->directory.reset();
        release->mold.reset();
    }
}

} // namespace cppcorn

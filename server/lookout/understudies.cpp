#include "server/lookout/understudies.hpp"

#include <algorithm>

namespace cppcorn {

void Understudies::worker_ended(int slot, pid_t understudy) {
    const bool is_gone = losses_.count(slot) != 0 && losses_.at(slot).understudy == understudy;
    if (understudy > 0 && !is_gone) left_behind_.insert(understudy);
    losses_.erase(slot);
    replaced_at_.erase(slot);
}

std::vector<Understudies::Loss> Understudies::to_replace(SteadyTime now) {
    std::vector<Loss> due_now;
    for (auto it = losses_.begin(); it != losses_.end();) {
        const auto before = replaced_at_.find(it->first);
        if (before != replaced_at_.end() && now < before->second + pause) {
            ++it;
            continue;
        }
        replaced_at_[it->first] = now;
        due_now.push_back(it->second);
        it = losses_.erase(it);
    }
    return due_now;
}

SteadyTime Understudies::due() const {
    SteadyTime next = SteadyTime::max();
    for (const auto& [slot, loss] : losses_) {
        const auto before = replaced_at_.find(slot);
        next = std::min(next, before == replaced_at_.end() ? SteadyTime{} : before->second + pause);
    }
    return next;
}

} // namespace cppcorn

#include "workers/transport/spool.hpp"

#include <algorithm>
#include <cstdlib>

namespace cppcorn {
namespace {

constexpr std::chrono::minutes quiet_time{1}; // between two lines about files that cannot be written

} // namespace

std::string system_spool_directory() {
    const char* const named = std::getenv("TMPDIR");
    return named != nullptr && *named != '\0' ? named : "/tmp";
}

Spool::Spool(const std::string& directory, std::uint64_t limit, std::uint64_t memory_limit)
    : directory_(directory.empty() ? system_spool_directory() : directory),
      limit_(limit),
      memory_limit_(std::min(memory_limit, limit)) {}

bool Spool::note_failure(SteadyTime now) {
    if (now < quiet_until_) return false;
    quiet_until_ = now + quiet_time;
    return true;
}

Spool::Share::Share(Spool& spool, std::uint64_t expected) : spool_(spool), expected_(expected) {
    if (expected_ == 0) return;
    place_ = spool_.queue_.insert(spool_.queue_.end(), this);
    is_queued_ = true;
}

Spool::Share::~Share() {
    leave_queue();
    give_back(held_);
}

void Spool::Share::leave_queue() {
    if (!std::exchange(is_queued_, false)) return;
    spool_.queue_.erase(place_);
    spool_.has_news_of_room_ = true; // the next one's turn
}

bool Spool::Share::has_room(std::uint64_t bytes) const {
    if (in_memory_ || bytes == 0) return true;
    const Share* const oldest = spool_.queue_.empty() ? nullptr : spool_.queue_.front();
    const std::uint64_t kept = oldest == nullptr || oldest == this ? 0 : oldest->missing();
    return spool_.used_ + bytes + kept <= spool_.limit_;
}

bool Spool::Share::take(std::uint64_t bytes) {
    if (in_memory_ ? spool_.used_memory_ + bytes > spool_.memory_limit_ : !has_room(bytes)) return false;
    take_anyway(bytes);
    return true;
}

void Spool::Share::take_anyway(std::uint64_t bytes) {
    (in_memory_ ? spool_.used_memory_ : spool_.used_) += bytes;
    held_ += bytes;
    taken_ += bytes;
    if (taken_ >= expected_) leave_queue();
}

void Spool::Share::give_back(std::uint64_t bytes) {
    if (bytes == 0) return;
    (in_memory_ ? spool_.used_memory_ : spool_.used_) -= bytes;
    held_ -= bytes;
    spool_.has_news_of_room_ = true;
}

bool Spool::Share::move_to_memory() {
    if (spool_.used_memory_ + held_ > spool_.memory_limit_) return false;
    spool_.used_ -= held_;
    spool_.used_memory_ += held_;
    in_memory_ = true;
    leave_queue(); // it needs no room of the others'
    spool_.has_news_of_room_ = true;
    return true;
}

} // namespace cppcorn

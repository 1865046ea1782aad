#include "workers/handover/worker_memory.hpp"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

#include "base/fork_copies.hpp"
#include "base/system_call.hpp"

namespace cppcorn {

WorkerMemory::WorkerMemory(int seat_count, std::size_t arena_size)
    : seat_count_(seat_count),
      size_(sizeof(Shared) + static_cast<std::size_t>(seat_count) * sizeof(Seat)),
      arena_(arena_size) {
    void* const memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw_system_error("cannot map shared memory");
    shared_ = static_cast<Shared*>(memory);
    keep_from_forks(memory, size_, nullptr);
    seats_ = reinterpret_cast<Seat*>(static_cast<char*>(memory) + sizeof(Shared));
}

WorkerMemory::~WorkerMemory() {
    forget_in_forks(shared_);
    ::munmap(shared_, size_);
}

int WorkerMemory::row_of(const ListenerFacts& facts) {
    const auto count = static_cast<int>(shared_->facts_count.load(std::memory_order_relaxed));
    for (int row = 0; row < count; ++row) {
        if (std::memcmp(&shared_->facts[row], &facts, sizeof facts) == 0) return row;
    }
    if (count == most_facts) return -1;
    shared_->facts[count] = facts;
    shared_->facts_count.store(static_cast<std::uint32_t>(count) + 1, std::memory_order_release);
    return count;
}

const ListenerFacts* WorkerMemory::facts(int row) const {
    return row >= 0 && row < most_facts ? &shared_->facts[row] : nullptr;
}

} // namespace cppcorn

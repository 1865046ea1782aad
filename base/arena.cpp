#include "base/arena.hpp"

#include <algorithm>
#include <bit>

#include <sys/mman.h>

#include "base/fork_copies.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t gives_back_from = 64 * 1024; // bytes of a block
// Of smaller ones, so many of each size are kept as they are.
constexpr std::size_t page = 4096;
constexpr std::size_t most_warm = 64;

} // namespace

Arena::Arena(std::size_t size) : size_(size) {
    void* const memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw_system_error("cannot map shared memory");
    memory_ = static_cast<char*>(memory);
    keep_from_forks(memory_, size_, &begun_);
}

Arena::~Arena() {
    if (current_ == this) current_ = nullptr;
    forget_in_forks(memory_);
    ::munmap(memory_, size_);
}

std::size_t Arena::class_of(std::size_t size) {
    const auto bits = static_cast<std::size_t>(std::bit_width(std::max<std::size_t>(size, 1) - 1));
    return std::max(bits, smallest_bits);
}

void* Arena::allocate(std::size_t size) {
    const std::size_t bits = class_of(size);
    if (bits >= class_count) return nullptr;
    const std::size_t block = std::size_t{1} << bits;
    auto& spare = free_[bits];
    char* found = nullptr;
    if (!spare.empty()) {
        found = memory_ + (std::size_t{spare.back()} << smallest_bits);
        spare.pop_back();
    } else {
        // Pages are given back as a whole.
        const std::size_t at = block < page ? begun_ : (begun_ + page - 1) / page * page;
        if (at > size_ || block > size_ - at) return nullptr;
        found = memory_ + at;
        begun_ = at + block;
    }
    used_ += block;
    return found;
}

void Arena::deallocate(void* block, std::size_t size) {
    const std::size_t bits = class_of(size);
    const std::size_t whole = std::size_t{1} << bits;
    used_ -= whole;
    const bool is_kept = whole < page || (whole < gives_back_from && free_[bits].size() < most_warm);
    if (!is_kept) ::madvise(block, whole, MADV_REMOVE);
    free_[bits].push_back(static_cast<std::uint32_t>(offset_of(block) >> smallest_bits));
}

namespace detail {

void* arena_allocate(std::size_t size) {
    Arena* const arena = Arena::current();
    void* const block = arena != nullptr ? arena->allocate(size) : nullptr;
    return block != nullptr ? block : ::operator new(size);
}

void arena_deallocate(void* block, std::size_t size) noexcept {
    Arena* const arena = Arena::current();
    if (arena != nullptr && arena->contains(block)) {
        arena->deallocate(block, size);
    } else {
        ::operator delete(block);
    }
}

} // namespace detail

} // namespace cppcorn

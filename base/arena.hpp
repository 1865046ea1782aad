// Memory that a worker's buffers are in while clients wait, and that another process can read once the worker is dead:
// one shared mapping, out of which blocks are given.
//
// One process allocates, the one that has made it, in one thread; what is free and what is not is known to its own
// memory only. Its understudy sees the bytes, at the same addresses, and allocates nothing; those that the app forks
// get a copy (base/fork_copies.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

namespace cppcorn {

class Arena {
  public:
    // `size`: of the mapping, a power of two; pages that nobody touches cost nothing. Throws std::system_error.
    explicit Arena(std::size_t size);
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena();

    // Null if there is no room. Blocks are aligned to 64 bytes, or to their size if that is less; from 4 KiB on, to pages.
    void* allocate(std::size_t size);
    // With the size that it was asked for. Large blocks give their pages back, and so do
    // smaller ones of which many are free.
    void deallocate(void* block, std::size_t size);

    bool contains(const void* address) const {
        const auto at = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(memory_);
        return at < size_;
    }
    // For those that trust no address: 0 for the first byte.
    std::size_t offset_of(const void* address) const {
        return static_cast<std::size_t>(static_cast<const char*>(address) - memory_);
    }
    const char* at(std::size_t offset) const { return memory_ + offset; }
    std::size_t size() const { return size_; }
    // Bytes of blocks that are in use.
    std::size_t used() const { return used_; }

    // The one that ArenaAllocator takes from, in this process; null: none, it takes from the heap.
    static Arena* current() { return current_; }
    static void make_current(Arena* arena) { current_ = arena; }

  private:
    static constexpr std::size_t smallest_bits = 6;
    static constexpr std::size_t class_count = 32;
    static std::size_t class_of(std::size_t size);

    inline static Arena* current_ = nullptr;

    char* memory_ = nullptr;
    std::size_t size_;
    std::size_t begun_ = 0; // where no block has been yet
    std::size_t used_ = 0;
    std::array<std::vector<std::uint32_t>, class_count> free_; // blocks by size, as offsets in units of the smallest
};

namespace detail {
void* arena_allocate(std::size_t size); // throws std::bad_alloc
void arena_deallocate(void* block, std::size_t size) noexcept;
} // namespace detail

// Of the current arena, and of the heap where there is none or no room in it.
template <class T>
class ArenaAllocator {
  public:
    using value_type = T;

    ArenaAllocator() = default;
    template <class Other>
    ArenaAllocator(const ArenaAllocator<Other>&) {}

    T* allocate(std::size_t count) { return static_cast<T*>(detail::arena_allocate(count * sizeof(T))); }
    void deallocate(T* block, std::size_t count) noexcept { detail::arena_deallocate(block, count * sizeof(T)); }

    friend bool operator==(const ArenaAllocator&, const ArenaAllocator&) { return true; }
};

// Bytes that clients have sent, or are to get.
using Bytes = std::basic_string<char, std::char_traits<char>, ArenaAllocator<char>>;

} // namespace cppcorn

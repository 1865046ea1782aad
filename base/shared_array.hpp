// Memory that a process shares with those that it forks from now on: plain data, zero at first.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "base/system_call.hpp"

namespace cppcorn {

// Owns the mapping, in this process; a child's goes with the child. Move-only. Pages that nobody touches cost nothing.
template <class T>
class SharedArray {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    // Throws std::system_error if the memory cannot be had.
    explicit SharedArray(std::size_t count) : size_(count * sizeof(T)) {
        void* const memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw_system_error("cannot map shared memory");
        items_ = static_cast<T*>(memory);
    }
    SharedArray(SharedArray&& other) noexcept : items_(std::exchange(other.items_, nullptr)), size_(other.size_) {}
    SharedArray& operator=(SharedArray&& other) noexcept {
        std::swap(items_, other.items_);
        std::swap(size_, other.size_);
        return *this;
    }
    SharedArray(const SharedArray&) = delete;
    SharedArray& operator=(const SharedArray&) = delete;
    ~SharedArray() {
        if (items_ != nullptr) ::munmap(items_, size_);
    }

    T& operator[](int index) { return items_[index]; }
    const T& operator[](int index) const { return items_[index]; }

  private:
    T* items_ = nullptr;
    std::size_t size_;
};

} // namespace cppcorn

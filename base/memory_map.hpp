// The memory of this process, as the kernel lists it. Async-signal-safe: for a process that has crashed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cppcorn {

struct Mapping {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    bool is_readable = false;
    bool is_writable = false;
    bool is_executable = false;
    const char* path = ""; // of a file, or "[stack]" and the like; valid until the next one is read

    bool holds(std::uintptr_t address) const { return address >= start && address < end; }
};

// Reads the list once, in the order of the addresses.
class MemoryMap {
  public:
    MemoryMap();
    ~MemoryMap();
    MemoryMap(const MemoryMap&) = delete;
    MemoryMap& operator=(const MemoryMap&) = delete;

    // False at the end, or where the list cannot be read.
    bool next(Mapping& mapping);

  private:
    const char* read_line();
    bool fill();

    int fd_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    char buffer_[6144]; // more than the longest line
};

// Copies memory that may not be there any more: false then, rather than a fault. Needs two descriptors for a moment;
// false without them, too.
bool copy_memory(void* to, std::uintptr_t from, std::size_t size);

} // namespace cppcorn

#include "base/fork_copies.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

namespace cppcorn {
namespace {

struct Region {
    char* memory = nullptr;
    std::size_t size = 0;
    const std::size_t* used = nullptr;
    char* copy = nullptr;
};

std::array<Region, 8> regions;

constexpr std::size_t pages_at_once = 1024;
constexpr std::size_t copied_whole = std::size_t{16} << 20; // of more, only what is in memory

Region* region_of(const void* memory) {
    Region* const found =
        std::find_if(regions.begin(), regions.end(), [&](const Region& region) { return region.memory == memory; });
    return found == regions.end() ? nullptr : found;
}

void* map_private(void* at, std::size_t size, int more_flags) {
    return ::mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | more_flags, -1, 0);
}

// Most of a large one was given back, and reading it would take the pages again.
void copy_what_is_there(char* to, const char* from, std::size_t size) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    unsigned char is_there[pages_at_once];
    for (std::size_t at = 0; at < size; at += pages_at_once * page) {
        const std::size_t part = std::min(size - at, pages_at_once * page);
        if (::mincore(const_cast<char*>(from) + at, part, is_there) != 0) return;
        for (std::size_t i = 0; i * page < part; ++i) {
            if ((is_there[i] & 1U) == 0) continue;
            std::memcpy(to + at + i * page, from + at + i * page, std::min(page, part - i * page));
        }
    }
}

} // namespace

void keep_from_forks(void* memory, std::size_t size, const std::size_t* used) {
    if (Region* const free = region_of(nullptr)) *free = {static_cast<char*>(memory), size, used, nullptr};
}

void forget_in_forks(void* memory) {
    if (Region* const region = region_of(memory)) *region = {};
}

void copy_for_fork() {
    for (Region& region : regions) {
        if (region.memory == nullptr || region.used == nullptr) continue;
        void* const copy = map_private(nullptr, region.size, 0);
        if (copy == MAP_FAILED) continue;
        region.copy = static_cast<char*>(copy);
        const std::size_t used = std::min(*region.used, region.size);
        if (used <= copied_whole) {
            std::memcpy(region.copy, region.memory, used);
        } else {
            copy_what_is_there(region.copy, region.memory, used);
        }
    }
}

void drop_fork_copies() {
    for (Region& region : regions) {
        if (region.copy != nullptr) ::munmap(region.copy, region.size);
        region.copy = nullptr;
    }
}

void take_fork_copies() {
    for (Region& region : regions) {
        if (region.memory == nullptr) continue;
        if (region.used == nullptr) {
            map_private(region.memory, region.size, MAP_FIXED);
        } else if (region.copy != nullptr) {
            ::mremap(region.copy, region.size, region.size, MREMAP_MAYMOVE | MREMAP_FIXED, region.memory);
            region.copy = nullptr;
        }
    }
}

} // namespace cppcorn

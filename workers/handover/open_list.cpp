#include "workers/handover/open_list.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

// As getdents64 writes it: the name stands behind, and ends with a zero byte.
struct Entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t size; // with the name
    std::uint8_t type;
};
constexpr std::size_t name_offset = offsetof(Entry, type) + 1;

} // namespace

// opendir(3) would allocate.
bool for_each_open(bool (*each)(void* context, int fd), void* context) {
    const UniqueFd folder(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) return false;
    alignas(Entry) std::array<char, 4096> entries;
    for (;;) {
        const long got = ::syscall(SYS_getdents64, folder.get(), entries.data(), entries.size());
        if (got <= 0) return got == 0;
        for (long at = 0; at < got;) {
            Entry entry;
            std::memcpy(&entry, entries.data() + at, sizeof entry);
            const std::string_view name(entries.data() + at + name_offset);
            int fd = -1;
            std::from_chars(name.data(), name.data() + name.size(), fd);
            if (fd >= 0 && fd != folder.get() && !each(context, fd)) return true;
            at += entry.size;
        }
    }
}

} // namespace cppcorn

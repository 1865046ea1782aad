#include "workers/app/elf_bytes.hpp"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {

ElfBytes::ElfBytes(int fd) : fd_(fd) {
    struct stat status {};
    check(::fstat(fd, &status), "cannot look at the file");
    size_ = status.st_size < 0 ? 0 : static_cast<std::uint64_t>(status.st_size);
}

bool ElfBytes::read(std::uint64_t offset, void* to, std::size_t length) const {
    if (!holds(offset, length)) return false;
    if (length == 0) return true;
    if (fd_ < 0) {
        std::memcpy(to, memory_.data() + offset, length);
        return true;
    }
    auto* target = static_cast<char*>(to);
    while (length > 0) {
        const ssize_t count = ::pread(fd_, target, length, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        check(count, "cannot read the file");
        if (count == 0) return false; // it has shrunk since we looked
        target += count;
        offset += static_cast<std::uint64_t>(count);
        length -= static_cast<std::size_t>(count);
    }
    return true;
}

} // namespace cppcorn

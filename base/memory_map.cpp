#include "base/memory_map.hpp"

#include <bit>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace cppcorn {
namespace {

std::uintptr_t read_hex(const char*& at) {
    std::uintptr_t number = 0;
    for (;; ++at) {
        const bool is_digit = *at >= '0' && *at <= '9';
        if (!is_digit && !(*at >= 'a' && *at <= 'f')) return number;
        number = number * 16 + static_cast<std::uintptr_t>(is_digit ? *at - '0' : *at - 'a' + 10);
    }
}

const char* skip_word(const char* at) {
    while (*at != '\0' && *at != ' ') ++at;
    while (*at == ' ') ++at;
    return at;
}

} // namespace

MemoryMap::MemoryMap() : fd_(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}

MemoryMap::~MemoryMap() {
    if (fd_ >= 0) ::close(fd_);
}

// "7f30-7f40 r-xp 00001000 fe:01 4711     /srv/app.so"
bool MemoryMap::next(Mapping& mapping) {
    const char* at = read_line();
    if (at == nullptr) return false;
    mapping.start = read_hex(at);
    if (*at != '-') return false;
    mapping.end = read_hex(++at);
    if (std::strlen(at) < 4) return false;
    mapping.is_readable = at[1] == 'r';
    mapping.is_writable = at[2] == 'w';
    mapping.is_executable = at[3] == 'x';
    for (int words = 0; words < 5; ++words) at = skip_word(at); // the rights come after an empty one
    mapping.path = at;
    return true;
}

// Null at the end. Its line feed is a zero.
const char* MemoryMap::read_line() {
    for (;;) {
        char* const line = buffer_ + begin_;
        if (void* const feed = std::memchr(line, '\n', end_ - begin_)) {
            *static_cast<char*>(feed) = '\0';
            begin_ = static_cast<std::size_t>(static_cast<char*>(feed) - buffer_) + 1;
            return line;
        }
        if (!fill()) return nullptr;
    }
}

bool MemoryMap::fill() {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (fd_ < 0 || end_ == sizeof buffer_) return false;
    ssize_t count;
    do {
        count = ::read(fd_, buffer_ + end_, sizeof buffer_ - end_);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return false;
    end_ += static_cast<std::size_t>(count);
    return true;
}

// The kernel looks at the memory, and answers EFAULT where we would fault.
bool copy_memory(void* to, std::uintptr_t from, std::size_t size) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    const auto wanted = static_cast<ssize_t>(size);
    const bool is_copied =
        ::write(ends[1], std::bit_cast<const void*>(from), size) == wanted && ::read(ends[0], to, size) == wanted;
    ::close(ends[0]);
    ::close(ends[1]);
    return is_copied;
}

} // namespace cppcorn

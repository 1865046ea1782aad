#include "workers/handover/watched_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view fd_name = "tfd:";
constexpr std::string_view tag_name = "data:";

// The number behind a name of the line.
template <class Number>
bool read_number(std::string_view line, std::string_view name, int base, Number& number) {
    const auto at = line.find(name);
    if (at == std::string_view::npos) return false;
    line.remove_prefix(at + name.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return std::from_chars(line.data(), line.data() + line.size(), number, base).ec == std::errc{};
}

// "/proc/self/fdinfo/7"
std::array<char, 64> path_of(int fd) {
    std::array<char, 64> path{};
    constexpr std::string_view folder = "/proc/self/fdinfo/";
    std::memcpy(path.data(), folder.data(), folder.size());
    std::to_chars(path.data() + folder.size(), path.data() + path.size() - 1, fd);
    return path;
}

} // namespace

// "tfd:       10 events:       19 data:        20000000a  pos:0 ino:… sdev:…"
bool read_watched(std::string_view line, int& fd, std::uint64_t& tag) {
    return read_number(line, fd_name, 10, fd) && read_number(line, tag_name, 16, tag);
}

bool for_each_watched(int epoll, void (*each)(void* context, int fd, std::uint64_t tag), void* context) {
    const UniqueFd file(::open(path_of(epoll).data(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return false;
    std::array<char, 8192> text;
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0) return false;
        if (got == 0) return true;
        size += static_cast<std::size_t>(got);
        std::string_view left(text.data(), size);
        for (std::size_t end; (end = left.find('\n')) != std::string_view::npos; left.remove_prefix(end + 1)) {
            const std::string_view line = left.substr(0, end);
            int fd = -1;
            std::uint64_t tag = 0;
            if (read_watched(line, fd, tag)) each(context, fd, tag);
        }
        size = left.size() < text.size() ? left.size() : 0; // a line that long is none of the kernel's
        std::memmove(text.data(), left.data(), size);
    }
}

} // namespace cppcorn

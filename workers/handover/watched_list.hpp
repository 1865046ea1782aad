// What the kernel says an epoll watches: the one list of a worker's connections that the worker's own memory cannot
// have spoilt.
#pragma once

#include <cstdint>
#include <string_view>

namespace cppcorn {

// Reads a line of its file in /proc. False if it tells of no descriptor.
bool read_watched(std::string_view line, int& fd, std::uint64_t& tag);

// Calls `each(context, fd, tag)` for every descriptor that `epoll` watches. False if /proc does not tell. Allocates
// nothing. Async-signal-safe.
bool for_each_watched(int epoll, void (*each)(void* context, int fd, std::uint64_t tag), void* context);

} // namespace cppcorn

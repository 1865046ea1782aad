// The image of a connection as its seat tells it. Reads the memory that worker and understudy share, and nothing else,
// and believes none of it: whatever stands there, it reads within the memory and ends. Async-signal-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "workers/handover/connection_image.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

// Of the connection of that descriptor. False: nobody sits there, or what is told makes no sense. The views hold as long
// as the memory does. Which descriptors are sockets or files is for others to find out.
bool image_of(const WorkerMemory& memory, int fd, ConnectionImage& image);
// The same with another ParkedRequest than the seat has.
bool image_of(const WorkerMemory& memory, int fd, std::uint32_t parked, ConnectionImage& image);

// Parts of it. The request, of a ParkedRequest at that offset of the arena.
bool read_parked(const WorkerMemory& memory, std::uint32_t offset, ConnectionImage& image);
// The bytes of a range.
bool read_range(const WorkerMemory& memory, ArenaRange range, std::string_view& bytes);

} // namespace cppcorn

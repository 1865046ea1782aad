// The build id of a library as it is in memory: the file of that name may be another one by now.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cppcorn {

// Of the library that is mapped from `base` on. Returns how many bytes it has; 0 if it has none that can be read and
// fits. Async-signal-safe.
std::uint8_t read_build_id(std::uintptr_t base, unsigned char* to, std::size_t room);

} // namespace cppcorn

// What a library or program says of itself in memory: the file of that name may be another one by now.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cppcorn {

// How far its own addresses, which symbols have, are moved to where it is: by `base`, from which on it is mapped, if they
// begin at 0, and not at all in a program that is not position independent. Async-signal-safe.
std::uintptr_t read_bias(std::uintptr_t base);

// Its build id. Returns how many bytes it has; 0 if it has none that can be read and
// fits. Async-signal-safe.
std::uint8_t read_build_id(std::uintptr_t base, unsigned char* to, std::size_t room);

} // namespace cppcorn

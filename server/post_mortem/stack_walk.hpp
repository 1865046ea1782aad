// Two ways to follow a stack that was copied: see server/post_mortem/unwinder.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "server/post_mortem/unwinder.hpp"

namespace cppcorn {

// Of each frame, the innermost first, an address within it: the instruction, or one of the call that has not returned.
// As far as it comes; empty without libdw.
std::vector<std::uint64_t> walk_by_debug_info(const LiveStackView& copy);

// The instruction, and what on the stack points behind a call in code. Frames that have ended may be among these.
std::vector<std::uint64_t> walk_by_returns(const LiveStackView& copy, const std::vector<MappedFile>& files);

} // namespace cppcorn

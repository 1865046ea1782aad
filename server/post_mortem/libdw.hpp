// elfutils' libdw, if this machine has it: functions, inlined ones too, and lines of the source. Nothing of it is needed
// to build the server: it is looked for when a crash is to be explained. For the process that does that only: what it
// reads may crash it, or keep it busy for long.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/post_mortem/symbols.hpp"

namespace cppcorn {

// A library's file and its debug information, which may be in a file of its own.
class DebugInfo {
  public:
    virtual ~DebugInfo() = default;
    // Of an address of the file's own; empty if nothing is known of it. Names may be mangled.
    virtual std::vector<SourcePlace> places_at(std::uint64_t address) = 0;
};

// Null if there is no libdw, or it cannot read the file.
std::unique_ptr<DebugInfo> open_debug_info(const std::string& path);

} // namespace cppcorn

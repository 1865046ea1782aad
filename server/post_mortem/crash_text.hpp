// What the error log says of a crash: one entry of at most `most_lines` lines, frames of the app first.
#pragma once

#include <string>
#include <string_view>

#include "server/post_mortem/death.hpp"
#include "server/post_mortem/symbols.hpp"

namespace cppcorn {

constexpr std::size_t most_crash_lines = 15;

// Without symbols, each frame is still a path and an offset that addr2line takes.
std::string crash_text(const Death& death, const CrashSymbols& symbols);

// One that every program uses: the C and the C++ library and what belongs to them.
bool is_system_library(std::string_view path);

// Whether a frame is the app's: not the server's, nor in a library of the system's.
bool is_app_frame(const CrashRecord& crash, std::size_t frame);

// "/srv/app.so(+0x11b0)"; the bare address where no file is known.
std::string crash_location(const CrashRecord& crash, std::size_t frame, const CrashSymbols& symbols = {});

// In hexadecimal; empty if it has none.
std::string build_id_text(const CrashModule& module);

} // namespace cppcorn

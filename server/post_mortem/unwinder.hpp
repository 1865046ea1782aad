// Follows the stack of a process that lives, in a copy of it (server/post_mortem/live_stack.hpp). For the process that
// looks up symbols only: it reads files that may be broken, with a library that was not written for such.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crash_record.hpp"
#include "server/post_mortem/live_stack.hpp"

namespace cppcorn {

// A copy as it was sent, taken apart; views into it.
struct LiveStackView {
    LiveStack live;
    std::string_view stack;
    std::string_view maps;
};
// nullopt if it is cut short.
std::optional<LiveStackView> view_of(std::string_view copy);

// A file that code of the process was mapped from.
struct MappedFile {
    std::uint64_t start = 0; // of this piece
    std::uint64_t end = 0;
    std::uint64_t offset = 0; // of the piece, in the file
    std::uint64_t base = 0;   // where its first piece is
    bool is_executable = false;
    std::string path;
    bool is_same = false; // the file of that name is still the one that was mapped
};
std::vector<MappedFile> mapped_files(std::string_view maps);

// With elfutils' libdw, by what the compiler notes of each function; without it, or where that leads nowhere, by what
// looks like the return of a call: then the record says that it is guessed.
CrashRecord unwind(const LiveStackView& copy);

} // namespace cppcorn

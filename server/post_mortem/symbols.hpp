// What the addresses of a crash mean: the answer of the process that looks it up (server/post_mortem/symbol_reader.hpp),
// in the form in which it is sent and in the one in which it is used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

// A place in the source.
struct SourcePlace {
    std::string function; // demangled; empty: not known
    std::string file;     // empty: not known
    unsigned line = 0;
    bool is_inlined = false; // its code stands within that of the next place
};

struct FrameSymbols {
    std::vector<SourcePlace> places; // the innermost first
};

struct CrashSymbols {
    std::vector<FrameSymbols> frames;      // by the number of the frame; may be shorter
    std::vector<std::string> module_notes; // by the number of the module: "replaced since"; may be shorter
    std::vector<std::string> module_paths; // where the same file is to stay, if that is not where it was loaded from

    const std::vector<SourcePlace>& places_of(std::size_t frame) const;
    std::string note_of(std::size_t module) const;
    std::string path_of(std::size_t module) const;
};

// Lines of text, the first of which is the version. Several such texts may follow each other.
std::string write_symbols(const CrashSymbols& symbols);
// Of two texts that name a frame, the later one counts. What is cut short, or not understood, is left out: the text is
// not trusted.
CrashSymbols read_symbols(std::string_view text);

} // namespace cppcorn

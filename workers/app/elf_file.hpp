// What an ELF file says of itself, read without loading it. Files are not trusted: a truncated or hostile one gives a
// poorer answer, never a crash, and never more memory than max_elf_table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workers/app/elf_bytes.hpp"

namespace cppcorn {

enum class ElfKind { not_elf, object, executable, shared_library, core, unknown };

struct ElfFile {
    ElfKind kind = ElfKind::not_elf; // a position-independent executable is an executable
    std::string machine;             // "x86_64", "aarch64"; "machine 4711" if it has no name here
    bool is_native = false;          // of the machine, word size and byte order that this program is built for
    bool is_truncated = false;       // parts that it refers to lie beyond its end

    // From the dynamic symbols, where the file is native and has a readable table of them.
    bool symbols_known = false;
    std::vector<std::string> symbols; // defined here and visible to others, as they stand in the table
};

// `prefix` says which symbols are wanted. The bytes are the whole file.
ElfFile read_elf(std::string_view bytes, std::string_view prefix);

// The same of an open file. Reads with pread and does not map, as a mapped file that shrinks is a SIGBUS. Throws
// std::system_error if it cannot be read.
ElfFile read_elf(int fd, std::string_view prefix);

// The machine that this program is built for, in the same words.
std::string native_machine();

} // namespace cppcorn

#include "base/crash_build_id.hpp"

#include <algorithm>
#include <cstring>

#include <elf.h>
#include <link.h>

#include "base/memory_map.hpp"

namespace cppcorn {
namespace {

constexpr int most_segments = 64;
constexpr std::size_t longest_notes = 1024;

constexpr std::size_t padded(std::size_t size) {
    return (size + 3) / 4 * 4;
}

std::uint8_t find_in_notes(const unsigned char* notes, std::size_t size, unsigned char* to, std::size_t room) {
    std::size_t at = 0;
    while (size - at >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes + at, sizeof note);
        at += sizeof note;
        if (note.n_namesz > size || note.n_descsz > size) return 0;
        const std::size_t whole = padded(note.n_namesz) + padded(note.n_descsz);
        if (whole > size - at) return 0;
        const bool is_build_id = note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
                                 std::memcmp(notes + at, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0;
        if (is_build_id && note.n_descsz <= room) {
            std::memcpy(to, notes + at + padded(note.n_namesz), note.n_descsz);
            return static_cast<std::uint8_t>(note.n_descsz);
        }
        at += whole;
    }
    return 0;
}

// The segments of what is mapped from `base` on, until `look` answers false.
template <class Look>
void for_each_segment(std::uintptr_t base, const Look& look) {
    ElfW(Ehdr) header;
    if (!copy_memory(&header, base, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
    for (int i = 0; i < std::min<int>(header.e_phnum, most_segments); ++i) {
        ElfW(Phdr) segment;
        const std::uintptr_t at = base + header.e_phoff + static_cast<std::uintptr_t>(i) * sizeof segment;
        if (!copy_memory(&segment, at, sizeof segment) || !look(segment)) return;
    }
}

} // namespace

std::uintptr_t read_bias(std::uintptr_t base) {
    std::uintptr_t bias = base;
    for_each_segment(base, [&](const ElfW(Phdr) & segment) {
        if (segment.p_type != PT_LOAD) return true;
        bias = base - (segment.p_vaddr - segment.p_offset);
        return false; // the first one has the lowest address
    });
    return bias;
}

std::uint8_t read_build_id(std::uintptr_t base, unsigned char* to, std::size_t room) {
    const std::uintptr_t bias = read_bias(base);
    std::uint8_t found = 0;
    for_each_segment(base, [&](const ElfW(Phdr) & segment) {
        if (segment.p_type != PT_NOTE) return true;
        alignas(4) unsigned char notes[longest_notes];
        const std::size_t size = std::min<std::size_t>(segment.p_memsz, sizeof notes);
        if (copy_memory(notes, bias + segment.p_vaddr, size)) found = find_in_notes(notes, size, to, room);
        return found == 0;
    });
    return found;
}

} // namespace cppcorn

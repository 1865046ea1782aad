// A small ELF shared library of this machine, made in memory, for tests that damage it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <elf.h>
#include <link.h>

namespace elf_image {

struct Image {
    std::vector<std::string> defined;
    std::vector<std::string> undefined;
    unsigned type = ET_DYN;
    bool is_pie = false;
    bool has_sections = true;
};

template <class Struct>
void append(std::string& bytes, const Struct& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The header of this very program, which has the right machine, word size and byte order.
inline ElfW(Ehdr) own_header() {
    ElfW(Ehdr) header{};
    FILE* const file = std::fopen("/proc/self/exe", "re");
    if (file == nullptr || std::fread(&header, sizeof header, 1, file) != 1) std::abort();
    std::fclose(file);
    return header;
}

inline ElfW(Sym) symbol(std::size_t name, bool is_defined) {
    ElfW(Sym) entry{};
    entry.st_name = static_cast<ElfW(Word)>(name);
    entry.st_info = (STB_GLOBAL << 4) | STT_FUNC;
    entry.st_shndx = is_defined ? 1 : SHN_UNDEF;
    return entry;
}

// Header, one dynamic segment and no loadable one (so that no loader maps it), symbol names, symbols, section headers.
inline std::string make(const Image& image) {
    std::string names(1, '\0');
    std::string symbols(sizeof(ElfW(Sym)), '\0');
    const auto add = [&](const std::string& name, bool is_defined) {
        append(symbols, symbol(names.size(), is_defined));
        names += name + '\0';
    };
    for (const std::string& name : image.defined) add(name, true);
    for (const std::string& name : image.undefined) add(name, false);

    ElfW(Ehdr) header = own_header();
    const std::size_t dynamic_at = sizeof header + sizeof(ElfW(Phdr));
    const std::size_t names_at = dynamic_at + 2 * sizeof(ElfW(Dyn));
    const std::size_t symbols_at = names_at + names.size();
    const std::size_t sections_at = symbols_at + symbols.size();
    header.e_type = static_cast<ElfW(Half)>(image.type);
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(ElfW(Phdr));
    header.e_phnum = 1;
    header.e_shoff = image.has_sections ? sections_at : 0;
    header.e_shentsize = sizeof(ElfW(Shdr));
    header.e_shnum = image.has_sections ? 3 : 0;

    ElfW(Phdr) segment{};
    segment.p_type = PT_DYNAMIC;
    segment.p_offset = dynamic_at;
    segment.p_filesz = 2 * sizeof(ElfW(Dyn));
    ElfW(Dyn) flags{};
    flags.d_tag = DT_FLAGS_1;
    flags.d_un.d_val = image.is_pie ? DF_1_PIE : DF_1_NOW;

    ElfW(Shdr) sections[3]{};
    sections[1].sh_type = SHT_STRTAB;
    sections[1].sh_offset = names_at;
    sections[1].sh_size = names.size();
    sections[2].sh_type = SHT_DYNSYM;
    sections[2].sh_offset = symbols_at;
    sections[2].sh_size = symbols.size();
    sections[2].sh_link = 1;

    std::string bytes;
    append(bytes, header);
    append(bytes, segment);
    append(bytes, flags);
    append(bytes, ElfW(Dyn){});
    bytes += names + symbols;
    if (image.has_sections) append(bytes, sections);
    return bytes;
}

// The image with its ELF machine number changed.
inline std::string with_machine(std::string bytes, unsigned machine) {
    const auto number = static_cast<ElfW(Half)>(machine);
    std::memcpy(bytes.data() + offsetof(ElfW(Ehdr), e_machine), &number, sizeof number);
    return bytes;
}

} // namespace elf_image

#include "server/post_mortem/elf_symbols.hpp"

#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);
using Note = ElfW(Nhdr);

constexpr unsigned char native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

} // namespace

ElfSymbols::ElfSymbols(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < sizeof(Header)) return;
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory == MAP_FAILED) return;
    bytes_ = static_cast<const char*>(memory);
    size_ = size;
    const bool is_native = std::memcmp(bytes_, ELFMAG, SELFMAG) == 0 && bytes_[EI_CLASS] == native_class;
    const auto* const header = static_cast<const Header*>(at(0, sizeof(Header)));
    if (is_native && header->e_shentsize == sizeof(Section)) return;
    ::munmap(memory, size);
    bytes_ = nullptr;
}

ElfSymbols::~ElfSymbols() {
    if (bytes_ != nullptr) ::munmap(const_cast<char*>(bytes_), size_);
}

const void* ElfSymbols::at(std::uint64_t offset, std::uint64_t size) const {
    if (bytes_ == nullptr || offset > size_ || size > size_ - offset || offset % 4 != 0) return nullptr;
    return bytes_ + offset;
}

std::string_view ElfSymbols::build_id() const {
    if (!is_open()) return {};
    const auto* const header = reinterpret_cast<const Header*>(bytes_);
    const auto* section = static_cast<const Section*>(at(header->e_shoff, header->e_shnum * sizeof(Section)));
    for (int i = 0; section != nullptr && i < header->e_shnum; ++i, ++section) {
        if (section->sh_type != SHT_NOTE || section->sh_size < sizeof(Note)) continue;
        const auto* const note = static_cast<const Note*>(at(section->sh_offset, section->sh_size));
        if (note == nullptr || note->n_type != NT_GNU_BUILD_ID || note->n_namesz != sizeof ELF_NOTE_GNU) continue;
        const std::uint64_t before = sizeof(Note) + sizeof ELF_NOTE_GNU;
        if (note->n_descsz > section->sh_size - before) continue;
        return {reinterpret_cast<const char*>(note) + before, note->n_descsz};
    }
    return {};
}

std::string_view ElfSymbols::function_at(std::uint64_t address) const {
    if (!is_open()) return {};
    const auto* const header = reinterpret_cast<const Header*>(bytes_);
    const auto* const sections = static_cast<const Section*>(at(header->e_shoff, header->e_shnum * sizeof(Section)));
    if (sections == nullptr) return {};
    for (const auto wanted : {SHT_SYMTAB, SHT_DYNSYM}) { // the first has all of the second, if it is there
        for (int i = 0; i < header->e_shnum; ++i) {
            if (sections[i].sh_type != static_cast<unsigned>(wanted) || sections[i].sh_link >= header->e_shnum)
                continue;
            const std::string_view name = function_in(sections + i, address);
            if (!name.empty()) return name;
        }
    }
    return {};
}

std::string_view ElfSymbols::function_in(const void* section, std::uint64_t address) const {
    const auto* const header = reinterpret_cast<const Header*>(bytes_);
    const auto* const sections = static_cast<const Section*>(at(header->e_shoff, header->e_shnum * sizeof(Section)));
    const auto* const table = static_cast<const Section*>(section);
    const Section& names = sections[table->sh_link];
    const auto* symbol = static_cast<const Symbol*>(at(table->sh_offset, table->sh_size));
    if (symbol == nullptr || names.sh_offset > size_ || names.sh_size > size_ - names.sh_offset) return {};
    for (std::uint64_t left = table->sh_size / sizeof(Symbol); left > 0; --left, ++symbol) {
        const auto type = symbol->st_info & 0xf;
        const bool is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
        const bool holds = address >= symbol->st_value && address - symbol->st_value < symbol->st_size;
        if (!is_function || symbol->st_shndx == SHN_UNDEF || !holds || symbol->st_name >= names.sh_size) continue;
        const char* const name = bytes_ + names.sh_offset + symbol->st_name;
        return {name, ::strnlen(name, names.sh_size - symbol->st_name)};
    }
    return {};
}

} // namespace cppcorn

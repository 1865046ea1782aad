#include "workers/app/elf_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include "workers/app/elf_bytes.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t max_symbols = 1024;     // that are listed
constexpr std::size_t max_name_length = 1024; // of a symbol; those that we look for are shorter

#if defined(__x86_64__)
constexpr unsigned native_machine_number = EM_X86_64;
#elif defined(__i386__)
constexpr unsigned native_machine_number = EM_386;
#elif defined(__aarch64__)
constexpr unsigned native_machine_number = EM_AARCH64;
#elif defined(__arm__)
constexpr unsigned native_machine_number = EM_ARM;
#elif defined(__riscv)
constexpr unsigned native_machine_number = EM_RISCV;
#elif defined(__powerpc64__)
constexpr unsigned native_machine_number = EM_PPC64;
#elif defined(__s390__)
constexpr unsigned native_machine_number = EM_S390;
#elif defined(__loongarch__)
constexpr unsigned native_machine_number = 258; // EM_LOONGARCH, which older elf.h lack
#else
#error "add this machine's ELF number"
#endif

constexpr unsigned char native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char native_data = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

// As `uname -m` has them.
std::string machine_name(unsigned machine, unsigned char elf_class, unsigned char data) {
    const bool is_64 = elf_class == ELFCLASS64;
    const bool is_little = data == ELFDATA2LSB;
    switch (machine) {
        case EM_X86_64:
            return is_64 ? "x86_64" : "x32";
        case EM_386:
            return "i386";
        case EM_AARCH64:
            return "aarch64";
        case EM_ARM:
            return "arm";
        case EM_RISCV:
            return is_64 ? "riscv64" : "riscv32";
        case EM_PPC64:
            return is_little ? "ppc64le" : "ppc64";
        case EM_PPC:
            return "ppc";
        case EM_S390:
            return is_64 ? "s390x" : "s390";
        case EM_MIPS:
            return std::string(is_64 ? "mips64" : "mips") + (is_little ? "el" : "");
        case EM_SPARCV9:
            return "sparc64";
        case 258:
            return is_64 ? "loongarch64" : "loongarch32";
        default:
            return fmt::format("machine {}", machine);
    }
}

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);
using Dynamic = ElfW(Dyn);

ElfKind kind_of(unsigned type) {
    switch (type) {
        case ET_REL:
            return ElfKind::object;
        case ET_EXEC:
            return ElfKind::executable;
        case ET_DYN:
            return ElfKind::shared_library;
        case ET_CORE:
            return ElfKind::core;
        default:
            return ElfKind::unknown;
    }
}

// The two numbers that follow the identification stand at the same place in every ELF file, but in its byte order.
unsigned read_half(const unsigned char* at, unsigned char data) {
    return data == ELFDATA2MSB ? unsigned(at[0] << 8 | at[1]) : unsigned(at[1] << 8 | at[0]);
}

// Fills in kind, machine, is_native, is_truncated. False if nothing more can be learnt.
bool read_identity(const ElfBytes& bytes, ElfFile& file) {
    struct Identity {
        unsigned char ident[EI_NIDENT];
        unsigned char type[2];
        unsigned char machine[2];
    };
    std::array<char, SELFMAG> magic{};
    if (!bytes.read(0, magic.data(), magic.size()) || std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0) return false;
    file.kind = ElfKind::unknown;
    const auto identity = bytes.read<Identity>(0);
    if (!identity) {
        file.is_truncated = true;
        return false;
    }
    const unsigned char elf_class = identity->ident[EI_CLASS];
    const unsigned char data = identity->ident[EI_DATA];
    const unsigned machine = read_half(identity->machine, data);
    file.kind = kind_of(read_half(identity->type, data));
    file.machine = machine_name(machine, elf_class, data);
    file.is_native = machine == native_machine_number && elf_class == native_class && data == native_data;
    return file.is_native;
}

bool is_pie(const ElfBytes& bytes, const Segment& dynamic) {
    const auto entries = bytes.read_table<Dynamic>(dynamic.p_offset, dynamic.p_filesz / sizeof(Dynamic));
    if (!entries) return false;
    for (const Dynamic& entry : *entries) {
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_FLAGS_1) return (entry.d_un.d_val & DF_1_PIE) != 0;
    }
    return false;
}

void read_segments(const ElfBytes& bytes, const Header& header, ElfFile& file) {
    if (header.e_phnum == 0 || header.e_phentsize != sizeof(Segment)) return;
    const auto segments = bytes.read_table<Segment>(header.e_phoff, header.e_phnum);
    if (!segments) {
        file.is_truncated = true;
        return;
    }
    const Segment* dynamic = nullptr;
    for (const Segment& segment : *segments) {
        if (segment.p_type == PT_DYNAMIC) dynamic = &segment;
        if (segment.p_type == PT_LOAD && !bytes.holds(segment.p_offset, segment.p_filesz)) file.is_truncated = true;
    }
    const bool may_be_pie = dynamic != nullptr && file.kind == ElfKind::shared_library;
    if (may_be_pie && is_pie(bytes, *dynamic)) file.kind = ElfKind::executable;
}

bool is_exported(const Symbol& symbol) {
    const auto binding = symbol.st_info >> 4;
    const auto visibility = symbol.st_other & 3;
    return symbol.st_shndx != SHN_UNDEF &&
           (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

// The text at `at`, up to its zero byte; empty if there is none, or none within reason: the search for it is done for
// every symbol.
std::string_view text_at(const std::vector<char>& texts, std::size_t at) {
    if (at >= texts.size()) return {};
    const std::string_view rest(texts.data() + at, std::min(texts.size() - at, max_name_length + 1));
    const std::size_t end = rest.find('\0');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

void read_symbols(const ElfBytes& bytes, const Section& table, const Section& names, std::string_view prefix,
                  ElfFile& file) {
    const auto symbols = bytes.read_table<Symbol>(table.sh_offset, table.sh_size / sizeof(Symbol));
    const auto texts = bytes.read_table<char>(names.sh_offset, names.sh_size);
    if (!symbols || !texts) return;
    file.symbols_known = true;
    for (const Symbol& symbol : *symbols) {
        if (file.symbols.size() == max_symbols) return;
        if (!is_exported(symbol)) continue;
        const std::string_view name = text_at(*texts, symbol.st_name);
        if (!name.empty() && name.substr(0, prefix.size()) == prefix) file.symbols.emplace_back(name);
    }
}

void read_sections(const ElfBytes& bytes, const Header& header, std::string_view prefix, ElfFile& file) {
    if (header.e_shnum == 0 || header.e_shentsize != sizeof(Section)) return; // stripped of them, which is allowed
    const auto sections = bytes.read_table<Section>(header.e_shoff, header.e_shnum);
    if (!sections) {
        file.is_truncated = true;
        return;
    }
    for (const Section& section : *sections) {
        if (section.sh_type == SHT_DYNSYM && section.sh_link < sections->size()) {
            return read_symbols(bytes, section, (*sections)[section.sh_link], prefix, file);
        }
    }
}

ElfFile read_elf(const ElfBytes& bytes, std::string_view prefix) {
    ElfFile file;
    if (!read_identity(bytes, file)) return file;
    const auto header = bytes.read<Header>(0);
    if (!header) {
        file.is_truncated = true;
        return file;
    }
    read_segments(bytes, *header, file);
    read_sections(bytes, *header, prefix, file);
    return file;
}

} // namespace

ElfFile read_elf(std::string_view bytes, std::string_view prefix) {
    return read_elf(ElfBytes(bytes), prefix);
}

ElfFile read_elf(int fd, std::string_view prefix) {
    return read_elf(ElfBytes(fd), prefix);
}

std::string native_machine() {
    return machine_name(native_machine_number, native_class, native_data);
}

} // namespace cppcorn

#include "workers/app/elf_links.hpp"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include "workers/app/elf_bytes.hpp"

namespace cppcorn {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Dynamic = ElfW(Dyn);
using Note = ElfW(Nhdr);

constexpr std::size_t max_needed = 256;
constexpr std::size_t max_build_id = 64; // bytes

// Where in the file the bytes of an address are.
std::optional<std::uint64_t> offset_of(const std::vector<Segment>& segments, std::uint64_t address) {
    for (const Segment& segment : segments) {
        const bool is_in =
            segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz;
        if (is_in) return segment.p_offset + (address - segment.p_vaddr);
    }
    return std::nullopt;
}

// The dynamic section's texts, each with a zero byte behind it.
class Texts {
  public:
    Texts(const ElfBytes& bytes, const std::vector<Segment>& segments, const std::vector<Dynamic>& entries) {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
        for (const Dynamic& entry : entries) {
            if (entry.d_tag == DT_STRTAB) address = entry.d_un.d_ptr;
            if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
        }
        const auto offset = offset_of(segments, address);
        if (!offset) return;
        if (auto texts = bytes.read_table<char>(*offset, size)) texts_ = std::move(*texts);
    }

    std::string at(std::uint64_t position) const {
        if (position >= texts_.size()) return {};
        const std::string_view rest(texts_.data() + position, texts_.size() - position);
        const std::size_t end = rest.find('\0');
        return end == std::string_view::npos ? std::string{} : std::string(rest.substr(0, end));
    }

    bool contains(std::string_view text) const {
        const std::string whole = '\0' + std::string(text) + '\0';
        return std::string_view(texts_.data(), texts_.size()).find(whole) != std::string_view::npos;
    }

  private:
    std::vector<char> texts_;
};

void read_dynamic(const ElfBytes& bytes, const std::vector<Segment>& segments, const Segment& dynamic,
                  ElfLinks& links) {
    auto entries = bytes.read_table<Dynamic>(dynamic.p_offset, dynamic.p_filesz / sizeof(Dynamic));
    if (!entries) return;
    const Texts texts(bytes, segments, *entries);
    std::string inherited;
    for (const Dynamic& entry : *entries) {
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_NEEDED && links.needed.size() < max_needed) {
            links.needed.push_back(texts.at(entry.d_un.d_val));
        }
        if (entry.d_tag == DT_SONAME) links.soname = texts.at(entry.d_un.d_val);
        if (entry.d_tag == DT_RUNPATH) links.run_path = texts.at(entry.d_un.d_val);
        if (entry.d_tag == DT_RPATH) inherited = texts.at(entry.d_un.d_val);
    }
    if (links.run_path.empty() && !inherited.empty()) {
        links.run_path = inherited;
        links.is_inherited = true;
    }
    links.asks_where_it_is = texts.contains("dladdr") || texts.contains("dladdr1") || texts.contains("dlinfo");
}

void read_build_id(const ElfBytes& bytes, const Segment& notes, ElfLinks& links) {
    const auto aligned = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
    std::uint64_t at = notes.p_offset;
    const std::uint64_t end = notes.p_offset + notes.p_filesz;
    while (at < end && links.build_id.empty()) {
        const auto note = bytes.read<Note>(at);
        if (!note) return;
        const std::uint64_t content = at + sizeof *note + aligned(note->n_namesz);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= max_build_id) {
            const auto id = bytes.read_table<unsigned char>(content, note->n_descsz);
            if (!id) return;
            for (const unsigned char byte : *id) links.build_id += fmt::format("{:02x}", byte);
        }
        at = content + aligned(note->n_descsz);
    }
}

bool is_native(const Header& header) {
    constexpr unsigned char native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == native_class &&
           header.e_type == ET_DYN && header.e_phentsize == sizeof(Segment);
}

} // namespace

ElfLinks read_elf_links(int fd) {
    ElfLinks links;
    const ElfBytes bytes(fd);
    const auto header = bytes.read<Header>(0);
    if (!header || !is_native(*header)) return links;
    const auto segments = bytes.read_table<Segment>(header->e_phoff, header->e_phnum);
    if (!segments) return links;
    for (const Segment& segment : *segments) {
        if (segment.p_type == PT_DYNAMIC) read_dynamic(bytes, *segments, segment, links);
        if (segment.p_type == PT_NOTE) read_build_id(bytes, segment, links);
    }
    return links;
}

} // namespace cppcorn

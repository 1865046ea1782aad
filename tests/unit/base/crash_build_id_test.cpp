#include "base/crash_build_id.hpp"

#include <cstddef>
#include <cstring>
#include <string>

#include <elf.h>
#include <link.h>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

// What a program or library looks like where it is mapped: a header, two segments, and a note.
struct Image {
    ElfW(Ehdr) header{};
    ElfW(Phdr) segments[2]{};
    ElfW(Nhdr) note{};
    char name[4]{};
    unsigned char id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    // `address`: where its own addresses begin.
    explicit Image(std::uintptr_t address) {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_phoff = offsetof(Image, segments);
        header.e_phnum = 2;
        segments[0].p_type = PT_LOAD;
        segments[0].p_vaddr = address;
        segments[1].p_type = PT_NOTE;
        segments[1].p_vaddr = address + offsetof(Image, note);
        segments[1].p_memsz = sizeof note + sizeof name + sizeof id;
        note.n_type = NT_GNU_BUILD_ID;
        note.n_namesz = sizeof name;
        note.n_descsz = sizeof id;
        std::memcpy(name, ELF_NOTE_GNU, sizeof name);
    }
    std::uintptr_t base() const { return reinterpret_cast<std::uintptr_t>(this); }
};

std::string build_id_at(std::uintptr_t base) {
    unsigned char found[32];
    const std::uint8_t size = read_build_id(base, found, sizeof found);
    return {reinterpret_cast<const char*>(found), size};
}

} // namespace

TEST_CASE("a library's own addresses begin at 0", "[crash_build_id]") {
    const Image image(0);
    CHECK(read_bias(image.base()) == image.base());
    CHECK(build_id_at(image.base()) == "\1\2\3\4\5\6\7\10");
}

TEST_CASE("a program that is not position independent has its addresses from elsewhere on", "[crash_build_id]") {
    const Image image(0x400000);
    CHECK(read_bias(image.base()) == image.base() - 0x400000);
    CHECK(build_id_at(image.base()) == "\1\2\3\4\5\6\7\10");
}

TEST_CASE("what is no such file has no build id", "[crash_build_id]") {
    const char text[sizeof(Image)] = "no ELF";
    const auto base = reinterpret_cast<std::uintptr_t>(text);
    CHECK(read_bias(base) == base);
    CHECK(build_id_at(base).empty());
    CHECK(build_id_at(8).empty());
}

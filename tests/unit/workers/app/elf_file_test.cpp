#include "workers/app/elf_file.hpp"

#include <cstring>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "tests/catch.hpp"
#include "tests/unit/workers/app/elf_image.hpp"

using namespace cppcorn;
using elf_image::Image;

namespace {

Image app_image() {
    Image image;
    image.defined = {"cppcorn_module_info_v1", "cppcorn_app_app", "other"};
    image.undefined = {"cppcorn_app_not_here", "malloc"};
    return image;
}

UniqueFd file_of(const std::string& bytes) {
    char name[] = "/tmp/elf_file_test.XXXXXX";
    UniqueFd file(::mkstemp(name));
    REQUIRE(file.is_open());
    ::unlink(name);
    REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    return file;
}

ElfW(Ehdr) header_of(const std::string& bytes) {
    ElfW(Ehdr) header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
}

ElfW(Shdr) section_of(const std::string& bytes, std::size_t index) {
    ElfW(Shdr) section{};
    std::memcpy(&section, bytes.data() + header_of(bytes).e_shoff + index * sizeof section, sizeof section);
    return section;
}

void put_section(std::string& bytes, std::size_t index, const ElfW(Shdr) & section) {
    std::memcpy(bytes.data() + header_of(bytes).e_shoff + index * sizeof section, &section, sizeof section);
}

} // namespace

TEST_CASE("a shared library of this machine is read with its defined symbols") {
    const ElfFile file = read_elf(elf_image::make(app_image()), "cppcorn_");
    CHECK(file.kind == ElfKind::shared_library);
    CHECK(file.is_native);
    CHECK(file.machine == native_machine());
    CHECK_FALSE(file.is_truncated);
    CHECK(file.symbols_known);
    CHECK(file.symbols == std::vector<std::string>{"cppcorn_module_info_v1", "cppcorn_app_app"});
}

TEST_CASE("local and hidden symbols are not listed") {
    std::string bytes = elf_image::make(app_image());
    const auto at = section_of(bytes, 2).sh_offset + sizeof(ElfW(Sym)); // of the first true symbol
    const auto list_with = [&](unsigned char info, unsigned char other) {
        bytes[at + offsetof(ElfW(Sym), st_info)] = static_cast<char>(info);
        bytes[at + offsetof(ElfW(Sym), st_other)] = static_cast<char>(other);
        return read_elf(bytes, "cppcorn_module").symbols.size();
    };
    CHECK(list_with((STB_GLOBAL << 4) | STT_FUNC, STV_DEFAULT) == 1);
    CHECK(list_with((STB_WEAK << 4) | STT_FUNC, STV_PROTECTED) == 1);
    CHECK(list_with((STB_LOCAL << 4) | STT_FUNC, STV_DEFAULT) == 0);
    CHECK(list_with((STB_GLOBAL << 4) | STT_FUNC, STV_HIDDEN) == 0);
}

TEST_CASE("a file gives what its bytes give") {
    const UniqueFd file = file_of(elf_image::make(app_image()));
    CHECK(read_elf(file.get(), "cppcorn_app_").symbols == std::vector<std::string>{"cppcorn_app_app"});
    CHECK_THROWS_AS(read_elf(-1, ""), std::system_error);
}

TEST_CASE("this program is an executable of this machine, position-independent or not") {
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const ElfFile elf = read_elf(file.get(), "");
    CHECK(elf.kind == ElfKind::executable);
    CHECK(elf.is_native);
    CHECK_FALSE(elf.is_truncated);
}

TEST_CASE("the kinds of ELF files are told apart") {
    Image image = app_image();
    const auto kind_with = [&](unsigned type, bool is_pie) {
        image.type = type;
        image.is_pie = is_pie;
        return read_elf(elf_image::make(image), "").kind;
    };
    CHECK(kind_with(ET_DYN, false) == ElfKind::shared_library);
    CHECK(kind_with(ET_DYN, true) == ElfKind::executable);
    CHECK(kind_with(ET_EXEC, false) == ElfKind::executable);
    CHECK(kind_with(ET_REL, false) == ElfKind::object);
    CHECK(kind_with(ET_CORE, false) == ElfKind::core);
    CHECK(kind_with(77, false) == ElfKind::unknown);
}

TEST_CASE("another machine's library is named, not read") {
    const unsigned other = header_of(elf_image::make({})).e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
    const ElfFile file = read_elf(elf_image::with_machine(elf_image::make(app_image()), other), "cppcorn_");
    CHECK(file.machine == (other == EM_X86_64 ? "x86_64" : "aarch64"));
    CHECK(file.kind == ElfKind::shared_library);
    CHECK_FALSE(file.is_native);
    CHECK_FALSE(file.symbols_known);
    CHECK(read_elf(elf_image::with_machine(elf_image::make({}), 4711), "").machine == "machine 4711");
}

TEST_CASE("the machine number is read in the file's own byte order") {
    std::string bytes = elf_image::make(app_image());
    bytes[EI_CLASS] = ELFCLASS64;
    bytes[EI_DATA] = ELFDATA2MSB;
    bytes[offsetof(ElfW(Ehdr), e_machine)] = 0;
    bytes[offsetof(ElfW(Ehdr), e_machine) + 1] = EM_S390;
    const ElfFile file = read_elf(bytes, "");
    CHECK(file.machine == "s390x");
    CHECK_FALSE(file.is_native);
}

TEST_CASE("what is no ELF file is called that") {
    for (const char* text : {"", "\x7f",
                             "\x7f"
                             "EL",
                             "#!/bin/sh\n", "int main() {}\n"}) {
        INFO(text);
        const ElfFile file = read_elf(std::string_view(text), "");
        CHECK(file.kind == ElfKind::not_elf);
        CHECK_FALSE(file.is_truncated);
    }
}

TEST_CASE("a library that is cut anywhere is truncated") {
    const std::string bytes = elf_image::make(app_image());
    for (std::size_t size = SELFMAG; size < bytes.size(); ++size) {
        INFO(size);
        // A vector of just that size, so that a sanitizer sees a read beyond its end.
        const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(read_elf(std::string_view(part.data(), part.size()), "cppcorn_").is_truncated);
    }
}

TEST_CASE("a loadable segment beyond the end is a truncated file") {
    std::string bytes = elf_image::make(app_image());
    ElfW(Phdr) segment{};
    std::memcpy(&segment, bytes.data() + sizeof(ElfW(Ehdr)), sizeof segment);
    segment.p_type = PT_LOAD;
    const auto is_truncated_with = [&](std::uint64_t offset, std::uint64_t length) {
        segment.p_offset = static_cast<ElfW(Off)>(offset);
        segment.p_filesz = static_cast<ElfW(Xword)>(length);
        std::memcpy(bytes.data() + sizeof(ElfW(Ehdr)), &segment, sizeof segment);
        return read_elf(bytes, "").is_truncated;
    };
    CHECK_FALSE(is_truncated_with(0, bytes.size()));
    CHECK(is_truncated_with(0, bytes.size() + 1));
    CHECK(is_truncated_with(bytes.size() + 1, 0));
    CHECK(is_truncated_with(1, ~std::uint64_t{0}));
    CHECK(is_truncated_with(~std::uint64_t{0}, 1));
}

TEST_CASE("a library without section headers is whole, with unknown symbols") {
    Image image = app_image();
    image.has_sections = false;
    const ElfFile file = read_elf(elf_image::make(image), "cppcorn_");
    CHECK(file.kind == ElfKind::shared_library);
    CHECK_FALSE(file.is_truncated);
    CHECK_FALSE(file.symbols_known);
}

TEST_CASE("tables that claim impossible sizes are not read") {
    const std::string good = elf_image::make(app_image());
    for (const std::uint64_t size : {std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
        for (const std::size_t index : {1u, 2u}) {
            std::string bytes = good;
            ElfW(Shdr) section = section_of(bytes, index);
            section.sh_size = static_cast<ElfW(Xword)>(size);
            put_section(bytes, index, section);
            CHECK_FALSE(read_elf(bytes, "").symbols_known);
        }
    }
    std::string bytes = good;
    ElfW(Shdr) section = section_of(bytes, 2);
    section.sh_link = 3; // there are three, 0 to 2
    put_section(bytes, 2, section);
    CHECK_FALSE(read_elf(bytes, "").symbols_known);
}

TEST_CASE("names without end and overlong names are passed over") {
    Image image;
    image.defined = {"cppcorn_app_" + std::string(2000, 'x'), "cppcorn_app_ok", "cppcorn_app_last"};
    std::string bytes = elf_image::make(image);
    const ElfW(Shdr) names = section_of(bytes, 1);
    bytes[names.sh_offset + names.sh_size - 1] = 'x'; // the end of the last name
    CHECK(read_elf(bytes, "cppcorn_app_").symbols == std::vector<std::string>{"cppcorn_app_ok"});
}

TEST_CASE("the list of symbols is bounded") {
    Image image;
    for (int i = 0; i < 3000; ++i) image.defined.push_back("s" + std::to_string(i));
    CHECK(read_elf(elf_image::make(image), "s").symbols.size() == 1024);
    CHECK(read_elf(elf_image::make(image), "s2999").symbols == std::vector<std::string>{"s2999"});
}

TEST_CASE("no damage makes the reader fail") {
    const std::string good = elf_image::make(app_image());
    std::mt19937 random(20261123);
    std::size_t unchanged = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = good;
        for (int i = 0; i < 3; ++i) {
            const std::size_t at = EI_NIDENT + random() % (bytes.size() - EI_NIDENT);
            bytes[at] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
        }
        const ElfFile file = read_elf(bytes, "cppcorn_");
        CHECK(file.kind != ElfKind::not_elf);
        CHECK(file.symbols.size() <= 1024);
        if (file.symbols.size() == 2) ++unchanged;
    }
    // Some damage hits what is read, some does not: else this test is about nothing.
    CHECK(unchanged > 1000);
    CHECK(unchanged < 19'000);
}

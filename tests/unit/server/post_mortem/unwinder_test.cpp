#include "server/post_mortem/unwinder.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

const std::string maps =
    "400000-401000 r--p 00000000 fe:01 11 /srv/app.so\n"
    "401000-403000 r-xp 00001000 fe:01 11 /srv/app.so\n"
    "600000-601000 rw-p 00000000 00:00 0 \n"
    "700000-702000 r-xp 00000000 fe:01 12 /srv/a path.so (deleted)\n"
    "7ff000-800000 rw-p 00000000 00:00 0 [stack]\n";

std::string copy_of(const std::vector<std::uint64_t>& words, const std::string& mapped) {
    LiveStack live;
    live.process = 7;
    live.first = 0x7ff000;
    live.stack = 0x7ff000;
    live.instruction = 0x401010;
    live.stack_size = static_cast<std::uint32_t>(words.size() * sizeof(std::uint64_t));
    live.maps_size = static_cast<std::uint32_t>(mapped.size());
    std::string copy(reinterpret_cast<const char*>(&live), sizeof live);
    copy.append(reinterpret_cast<const char*>(words.data()), live.stack_size);
    return copy + mapped;
}

TEST_CASE("unwinder: the files that are mapped, with where they begin") {
    const std::vector<MappedFile> files = mapped_files(maps);
    REQUIRE(files.size() == 4);
    CHECK(files[1].path == "/srv/app.so");
    CHECK(files[1].base == 0x400000);
    CHECK(files[1].start == 0x401000);
    CHECK(files[1].end == 0x403000);
    CHECK(files[1].offset == 0x1000);
    CHECK(files[1].is_executable);
    CHECK(files[1].is_same);
    CHECK_FALSE(files[0].is_executable);
    CHECK(files[2].path == "/srv/a path.so (deleted)");
    CHECK_FALSE(files[2].is_same);
    CHECK_FALSE(files[3].is_same);
}

TEST_CASE("unwinder: what is no list of mappings makes none") {
    CHECK(mapped_files("").empty());
    CHECK(mapped_files("\n\n").empty());
    CHECK(mapped_files("nonsense").empty());
    CHECK(mapped_files("400000-401000 r--p").empty());
}

TEST_CASE("unwinder: a copy that is cut short is none") {
    const std::string copy = copy_of({1, 2, 3}, maps);
    REQUIRE(view_of(copy));
    CHECK(view_of(copy)->stack.size() == 24);
    CHECK(view_of(copy)->maps == maps);
    for (const std::size_t size : {std::size_t{0}, sizeof(LiveStack) - 1, sizeof(LiveStack), copy.size() - 1}) {
        CHECK_FALSE(view_of(std::string_view(copy).substr(0, size)));
    }
}

TEST_CASE("unwinder: a stack that leads nowhere is the one instruction that is known") {
    const CrashRecord record = unwind(*view_of(copy_of({0x401020, 1, 0x600000}, maps)));
    REQUIRE(record.frame_count == 1); // /srv/app.so is not there, to see a call in
    CHECK(record.frames[0].address == 0x401010);
    CHECK(record.is_guessed);
    CHECK(record.process == 7);
    REQUIRE(record.module_count == 1);
    CHECK(std::string(record.modules[0].path) == "/srv/app.so");
    CHECK(record.modules[0].base == 0x400000);
}

} // namespace
} // namespace cppcorn

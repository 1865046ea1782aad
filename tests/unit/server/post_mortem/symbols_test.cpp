#include "server/post_mortem/symbols.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

CrashSymbols some() {
    CrashSymbols symbols;
    symbols.frames.resize(2);
    symbols.frames[1].places = {{"inner(int)", "/src/a.cpp", 3, true}, {"outer()", "", 0, false}};
    symbols.module_notes = {"", "note"};
    symbols.module_paths = {"/srv/a.so"};
    return symbols;
}

TEST_CASE("symbols: what was written is read") {
    const CrashSymbols read = read_symbols(write_symbols(some()));
    CHECK(read.places_of(0).empty());
    REQUIRE(read.places_of(1).size() == 2);
    CHECK(read.places_of(1)[0].function == "inner(int)");
    CHECK(read.places_of(1)[0].file == "/src/a.cpp");
    CHECK(read.places_of(1)[0].line == 3);
    CHECK(read.places_of(1)[0].is_inlined);
    CHECK(read.places_of(1)[1].function == "outer()");
    CHECK(read.places_of(9).empty());
    CHECK(read.note_of(0).empty());
    CHECK(read.note_of(1) == "note");
    CHECK(read.note_of(9).empty());
    CHECK(read.path_of(0) == "/srv/a.so");
    CHECK(read.path_of(1).empty());
}

TEST_CASE("symbols: of two answers the later one counts, where it has one") {
    CrashSymbols later;
    later.frames.resize(3);
    later.frames[1].places = {{"better", "", 0, false}};
    later.frames[2].places = {{"new", "", 0, false}};
    const CrashSymbols read = read_symbols(write_symbols(some()) + write_symbols(later));
    REQUIRE(read.places_of(1).size() == 1);
    CHECK(read.places_of(1)[0].function == "better");
    CHECK(read.places_of(2).size() == 1);
}

TEST_CASE("symbols: an answer that is cut short is good for what it has") {
    const std::string text = write_symbols(some());
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const CrashSymbols read = read_symbols(text.substr(0, size));
        for (const SourcePlace& place : read.places_of(1)) {
            CHECK((place.function == "inner(int)" || place.function == "outer()"));
        }
    }
}

TEST_CASE("symbols: an answer that makes no sense is none") {
    CHECK(read_symbols("").frames.empty());
    CHECK(read_symbols("frame\t0\tcalled\tf\t\t0\n").frames.empty()); // of no version
    const std::string header = write_symbols({});
    CHECK(read_symbols(header + "frame\t4000000000\tcalled\tf\t\t0\n").frames.empty());
    CHECK(read_symbols(header + "frame\t-1\tcalled\tf\t\t0\n").frames.empty());
    CHECK(read_symbols(header + "module\t99999\tnote\n").module_notes.empty());
    CHECK(read_symbols(header + "frame\t1\n").places_of(1).size() == 1);
    std::string many = header;
    for (int i = 0; i < 1000; ++i) many += "frame\t1\tcalled\tf\x1b\t\tx\n";
    CHECK(read_symbols(many).places_of(1).size() == 16);
    CHECK(read_symbols(many).places_of(1)[0].function == "f?");
}

} // namespace
} // namespace cppcorn

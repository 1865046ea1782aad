#include "workers/exchange/answer_lines.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace {

struct World {
    TemporaryFolder folder;
    AccessLog log{[this] {
        AccessLogOptions options;
        options.path = folder / "access.log";
        options.format = "%(h)s";
        return options;
    }()};
    AnswerLines lines;

    void answer(const char* name, std::uint64_t due) {
        lines.add(log.position(), due);
        write(name);
    }
    // By another connection.
    void write(const char* name) {
        AccessRecord record;
        record.remote_address = name;
        log.write(record);
    }
    std::string text() {
        log.flush();
        std::ostringstream text;
        text << std::ifstream(folder / "access.log").rdbuf();
        return text.str();
    }
};

} // namespace

TEST_CASE("AnswerLines: of answers that leave at once, the lines stay where they are") {
    World world;
    world.answer("a", 10);
    world.answer("b", 20);
    world.lines.note_sent(world.log);
    world.lines.note_cut(world.log, 0); // of nothing
    CHECK(world.text() == "a\nb\n");
}

TEST_CASE("AnswerLines: of answers that wait, the lines wait as well") {
    World world;
    world.write("before");
    world.answer("a", 10);
    world.answer("b", 20);
    world.lines.note_waiting(world.log);
    world.write("meanwhile");
    CHECK(world.text() == "before\nmeanwhile\n");
    world.answer("c", 30); // while they wait
    world.lines.note_waiting(world.log);
    CHECK(world.text() == "before\nmeanwhile\n");
    SECTION("until all is sent") {
        world.lines.note_sent(world.log);
        CHECK(world.text() == "before\nmeanwhile\na\nb\nc\n");
        world.lines.note_sent(world.log);
        CHECK(world.text() == "before\nmeanwhile\na\nb\nc\n");
    }
    SECTION("or never will be: those that were sent by then are whole") {
        world.lines.note_cut(world.log, 29);
        CHECK(world.text() == "before\nmeanwhile\na\nb\nc cut\n");
    }
    SECTION("or only a part of the first was") {
        world.lines.note_cut(world.log, 9);
        CHECK(world.text() == "before\nmeanwhile\na cut\nb cut\nc cut\n");
    }
}

TEST_CASE("AnswerLines: a line that says already that its answer was cut says it once") {
    World world;
    world.answer("a", 10);
    world.answer("b", 0);
    world.lines.note_cut(world.log, 5);
    CHECK(world.text() == "a cut\nb\n");
}

TEST_CASE("AnswerLines: lines that are in the file already stay as they are") {
    World world;
    world.answer("a", 10);
    world.log.flush();
    world.answer("b", 20);
    world.lines.note_cut(world.log, 5);
    CHECK(world.text() == "a\nb cut\n");
}

TEST_CASE("AnswerLines: lines that wait go to another worker, and are written there") {
    World world;
    world.answer("a", 10);
    world.answer("b", 20);
    world.lines.note_waiting(world.log);
    const std::string held(world.lines.held());
    CHECK(held == "a\nb\n");
    world.lines.forget();
    world.lines.note_sent(world.log);
    CHECK(world.text().empty());

    World other;
    other.lines.resume(held);
    SECTION("when the answers are out") {
        other.lines.note_sent(other.log);
        CHECK(other.text() == "a\nb\n");
    }
    SECTION("and where they are cut, both are taken for cut") {
        AnswerLines ours;
        ours.resume(held);
        ours.note_cut(other.log, 1'000'000);
        std::string a = "a\n";
        std::string b = "b\n";
        other.log.mark_cut(a);
        other.log.mark_cut(b);
        CHECK(other.text() == a + b);
    }
}

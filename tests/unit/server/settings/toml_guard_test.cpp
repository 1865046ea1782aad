#include "server/settings/toml_guard.hpp"

#include <string>

#include "server/settings/config_file.hpp"
#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

// 0 for none.
std::size_t stray_line(const std::string& text) {
    return line_of_stray_letter(text).value_or(0);
}

} // namespace

TEST_CASE("config letters: in quotes and comments they are at home") {
    for (const char* text : {
             "",
             "workers = 2",
             "# größe",
             "a = 1 # größe",
             "a = 'größe' # 'größe",
             "a = \"größe\"",
             "a = \"\\\"größe\\\\\"",
             "a = ''\nb = \"\"",
             "'größe' = 1",
             "a = ['é', \"è\"]",
             "a=['é',\"è\",\t'ê']",
             "a = [ # é\n'é' # è\n, [ 'ê']]\n['é'] # è",
             "a = \"\"\"\né \" \"\" é\\\"\"\" é\"\"\"\n",
             "a = \"\"\"é\"\"\"\"\"\nb = 1",
             "a = '''\né ' '' \\'''\n",
             "a = '\\' # é",
             "\xef\xbb\xbf# a mark before it",
         }) {
        INFO(text);
        CHECK(stray_line(text) == 0);
    }
}

TEST_CASE("config letters: elsewhere the first one's line is told") {
    CHECK(stray_line("größe = 1") == 1);
    CHECK(stray_line("a = 1\n\nb = é") == 3);
    CHECK(stray_line("a = 'x' é") == 1);
    CHECK(stray_line("a = '\\'é") == 1);
    CHECK(stray_line("a = \"\\\\\"é") == 1);
    CHECK(stray_line("a = \"\"é") == 1);
    CHECK(stray_line("a = ''é") == 1);
    CHECK(stray_line("a = \"\"\"x\n\"\"\"\né") == 3);
    CHECK(stray_line("a = \"\"\"x\"\"\"\"\"é") == 1);
    CHECK(stray_line("a = '''x'''é") == 1);
    CHECK(stray_line("# é\né") == 2);
    CHECK(stray_line("a = 'x\né = 1") == 2);
    CHECK(stray_line("a = b'é'") == 1);
    CHECK(stray_line("a = 7 'é'") == 1);
    CHECK(stray_line("a = 7.'é'") == 1);
    CHECK(stray_line("a = 7['é'") == 1);
    CHECK(stray_line("a = 7='é'") == 1);
    CHECK(stray_line("a = [1, 7='é'") == 1);
    CHECK(stray_line("a = 7{b='é'") == 1);
    CHECK(stray_line("a.'#' é = 1") == 1);
    CHECK(stray_line("a = b'\n# é") == 2);
    CHECK(stray_line("a = \"\\é\"") == 1);
    CHECK(stray_line("a = \"\"\"x\\\n  é\"\"\"") == 2);
    CHECK(stray_line("a = 'b''é'") == 1);
    CHECK(stray_line("a\xc2\xa0= 1") == 1);
    CHECK(stray_line("a = 1\r\n\xff") == 2);
}

TEST_CASE("config letters: a file with a stray one is refused before it is parsed") {
    CHECK_THROWS_WITH(parse_config_file("a = 'é'\n\xe2\x84\xb5 = 1"), "line 2: letters beyond ASCII belong in quotes");
    CHECK(parse_config_file("\xef\xbb\xbf"
                            "a = 'é' # é")
              .at(0)
              .texts.at(0) == "é");
}

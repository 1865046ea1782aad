#include "server/settings/shell_words.hpp"

#include <stdexcept>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using Words = std::vector<std::string>;

std::string error_of(const std::string& line) {
    try {
        split_shell_words(line);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

TEST_CASE("a line is split as a shell does") {
    CHECK(split_shell_words("").empty());
    CHECK(split_shell_words(" \t\n ").empty());
    CHECK(split_shell_words("  -w 4\t--name\nx ") == Words{"-w", "4", "--name", "x"});
    CHECK(split_shell_words(R"(--name 'my app' "b c")") == Words{"--name", "my app", "b c"});
    CHECK(split_shell_words(R"(--name='my app'"'s"\ own)") == Words{"--name=my app's own"});
    CHECK(split_shell_words(R"('' "" a'')") == Words{"", "", "a"});
    CHECK(split_shell_words(R"('a\b' "a\b" "a\\b" "\"" a\b)") == Words{R"(a\b)", R"(a\b)", R"(a\b)", "\"", "ab"});
    CHECK(split_shell_words(R"(myapp:create\(\"x\",\ 2\))") == Words{R"(myapp:create("x", 2))"});
    CHECK(split_shell_words("$HOME *") == Words{"$HOME", "*"});
}

TEST_CASE("a line that a shell would not end is refused") {
    CHECK(error_of("a 'b") == "has a ' that is not closed");
    CHECK(error_of("a \"b\\\"") == "has a \" that is not closed");
    CHECK(error_of("a\\") == "ends with a backslash that escapes nothing");
}

} // namespace
} // namespace cppcorn

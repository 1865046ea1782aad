#include "server/settings/config_file.hpp"

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

using Texts = std::vector<std::string>;

Texts texts_of(const std::string& value) {
    return parse_config_file("key = " + value).at(0).texts;
}

std::string error_of(const std::string& text) {
    try {
        parse_config_file(text);
    } catch (const ConfigFileError& error) {
        return error.what();
    }
    return "";
}

bool begins_with(const std::string& text, const std::string& start) {
    return text.rfind(start, 0) == 0;
}

} // namespace

TEST_CASE("config file: entries in the file's order, not the alphabet's") {
    const auto entries = parse_config_file(
        "# settings\r\n"
        "\n"
        "workers = 4 # as many as cores\r\n"
        "  \"max-requests\"=1_000\n"
        "preload=true");
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].key == "workers");
    CHECK(entries[0].texts == Texts{"4"});
    CHECK_FALSE(entries[0].is_array);
    CHECK(entries[1].key == "max-requests");
    CHECK(entries[1].texts == Texts{"1000"});
    CHECK(entries[2].texts == Texts{"true"});
    CHECK(parse_config_file("").empty());
}

TEST_CASE("config file: values come as the text that a flag would take") {
    CHECK(texts_of(R"("a # b, c = [d]")") == Texts{"a # b, c = [d]"});
    CHECK(texts_of(R"('C:\dir "x"' # why)") == Texts{R"(C:\dir "x")"});
    CHECK(texts_of(R"("")") == Texts{""});
    CHECK(texts_of("-5") == Texts{"-5"});
    CHECK(texts_of("0.5") == Texts{"0.5"});
    CHECK(texts_of("2.0") == Texts{"2"});
}

TEST_CASE("config file: lists") {
    const auto entries = parse_config_file("bind = [\n  \"a\" , # first\n  'b',\n]\nworkers = 2");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].is_array);
    CHECK(entries[0].texts == Texts{"a", "b"});
    CHECK(texts_of("[]").empty());
}

TEST_CASE("config file: what cannot be a setting is refused with its key or line") {
    CHECK(error_of("\n[server]\nx = 1") == "server: sections are not used here; write each setting as KEY = VALUE");
    CHECK(error_of("a = 1979-05-27") == "a: takes text, a number, true or false, or a list of these");
    CHECK(error_of("a = [[1]]") == "a: takes text, a number, true or false, or a list of these");
    CHECK(begins_with(error_of("a = 1\nworkers"), "line 2: "));
    CHECK(begins_with(error_of("workers = many"), "line 1: "));
    CHECK(begins_with(error_of("a = 1\na = 2"), "line 2: "));
}

#include "server/settings/settings_table.hpp"

#include <set>

#include "server/settings/rows/refused.hpp"
#include "server/settings/spelling.hpp"
#include "tests/catch.hpp"
#include "tests/unit/server/settings/settings_sources.hpp"

namespace cppcorn {
namespace {

TEST_CASE("each setting has its help and, if it has a value, a default") {
    for (const auto& setting : settings_table()) {
        INFO(setting.key());
        REQUIRE_FALSE(setting.names.empty());
        const std::string help = setting.help;
        CHECK(help.size() > 10);
        CHECK(help.back() == '.');
        CHECK_FALSE(setting.default_text().empty());
        CHECK((setting.value.set == nullptr) == (setting.value.show == nullptr));
        CHECK(setting.takes_value() == (setting.value.kind > SettingValue::Kind::flag));
    }
}

TEST_CASE("no name means two settings") {
    std::set<std::string> names;
    std::set<char> letters;
    const auto check_new = [&](const std::string& name) {
        INFO(name);
        CHECK(names.insert(normalized_name(name)).second);
    };
    for (const auto& setting : settings_table()) {
        for (const auto& name : setting.names) check_new(name);
        for (const auto& name : setting.file_names) check_new(name);
        if (setting.short_flag != 0) CHECK(letters.insert(setting.short_flag).second);
    }
    for (const auto& refused : refused_settings()) {
        for (const auto& name : refused.names) check_new(name);
        if (refused.short_flag != 0) CHECK(letters.insert(refused.short_flag).second);
    }
}

TEST_CASE("a setting is found by each of its names in either spelling") {
    for (const auto& setting : settings_table()) {
        for (const auto& name : setting.names) CHECK(find_setting(name) == &setting);
        for (const auto& name : setting.file_names) CHECK(find_setting(name) == &setting);
        CHECK(find_setting(setting.key()) == &setting);
    }
    CHECK(find_setting("keep-alive") == find_setting("keep_alive"));
    CHECK(find_setting("keep-alive") == find_setting("keepalive"));
    CHECK(find_setting("nothing") == nullptr);
}

TEST_CASE("what a setting shows it also takes") {
    for (const auto& setting : settings_table()) {
        if (!setting.value.show || setting.is_positional()) continue;
        INFO(setting.key());
        Settings settings = default_settings();
        const auto texts = setting.value.show(settings);
        REQUIRE_NOTHROW(setting.value.set(settings, texts));
        CHECK(setting.value.show(settings) == texts);
    }
}

TEST_CASE("whole numbers are decimal") {
    CHECK(parse_whole_number("010", 0, 99) == 10);
    CHECK(parse_whole_number("0", 0, 99) == 0);
    CHECK_THROWS(parse_whole_number("0x10", 0, 99));
    CHECK_THROWS(parse_whole_number("100", 0, 99));
}

TEST_CASE("seconds may have decimals, and the smallest time is not zero") {
    CHECK(parse_seconds("30") == Milliseconds(30'000));
    CHECK(parse_seconds("30s") == Milliseconds(30'000));
    CHECK(parse_seconds("0.5s") == Milliseconds(500));
    CHECK(parse_seconds("0") == Milliseconds(0));
    CHECK(parse_seconds("0.000") == Milliseconds(0));
    CHECK(parse_seconds("0.0001") == Milliseconds(1));
    CHECK(parse_seconds("1.2345") == Milliseconds(1234));
    CHECK(parse_seconds("1.05") == Milliseconds(1050));
    CHECK(show_seconds(Milliseconds(1050)) == "1.05");
    CHECK(show_seconds(Milliseconds(500)) == "0.5");
    CHECK(show_seconds(Milliseconds(95'000)) == "95");
}

TEST_CASE("bytes may have a unit") {
    const std::uint64_t most = std::uint64_t{1} << 50;
    CHECK(parse_byte_count("8190", 0, most) == 8190);
    CHECK(parse_byte_count("64K", 0, most) == 65536);
    CHECK(parse_byte_count("512m", 0, most) == 536870912);
    CHECK(parse_byte_count("2G", 0, most) == 2147483648);
    CHECK_THROWS(parse_byte_count("", 0, most));
    CHECK_THROWS(parse_byte_count("K", 0, most));
    CHECK_THROWS(parse_byte_count("1.5G", 0, most));
    CHECK_THROWS(parse_byte_count("-1", 0, most));
    CHECK_THROWS(parse_byte_count("18014398509481985K", 0, most));
    CHECK(show_byte_count(536870912) == "512M");
    CHECK(show_byte_count(65536) == "65536");
    CHECK(show_byte_count(0) == "0");
}

TEST_CASE("workers auto counts cores") {
    SettingsSources sources;
    sources.arguments = {"myapp", "-w", "auto"};
    CHECK(sources.load().values.workers >= 1);
    sources.arguments = {"myapp"};
    sources.environment["WEB_CONCURRENCY"] = "auto";
    CHECK(sources.load().values.workers >= 1);
}

TEST_CASE("a near name is found, a far one is not") {
    CHECK(nearest_flag("wrokers") == "workers");
    CHECK(nearest_flag("worker") == "workers");
    CHECK(nearest_flag("bnid") == "bind");
    CHECK(nearest_flag("graceful-time") == "graceful-timeout");
    CHECK(nearest_flag("x").empty());
    CHECK(nearest_flag("something-else").empty());
    CHECK(nearest_flag(std::string(100'000, 'a')).empty());
    CHECK(nearest_key("access_logfil") == "access_logfile");
    CHECK(nearest_key("acesslog") == "accesslog");
}

} // namespace
} // namespace cppcorn

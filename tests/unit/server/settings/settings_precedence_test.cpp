#include "tests/catch.hpp"
#include "tests/unit/server/settings/settings_sources.hpp"

namespace cppcorn {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("defaults hold where nothing is given") {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    const auto loaded = sources.load();
    CHECK(loaded.values.app == "myapp");
    CHECK(loaded.values.binds == Texts{"127.0.0.1:8000"});
    CHECK(loaded.values.workers == 1);
    CHECK(loaded.values.config_file.empty());
    CHECK(loaded.origins.at("workers") == "default");
    CHECK(loaded.origins.at("app") == "command line");
}

// Each source on its own, then each pair: the later one wins.
TEST_CASE("a stronger source wins over each weaker one") {
    const std::vector<std::string> origins{"environment WEB_CONCURRENCY", "cppcorn.toml", "CPPCORN_CMD_ARGS",
                                           "command line"};
    for (std::size_t weaker = 0; weaker < origins.size(); ++weaker) {
        for (std::size_t stronger = weaker; stronger < origins.size(); ++stronger) {
            SettingsSources sources;
            sources.arguments = {"myapp"};
            const auto has = [&](std::size_t source) { return source == weaker || source == stronger; };
            if (has(0)) sources.environment["WEB_CONCURRENCY"] = "11";
            if (has(1)) sources.write_file("workers = 12\n");
            if (has(2)) sources.environment["CPPCORN_CMD_ARGS"] = "--workers 13";
            if (has(3)) sources.arguments.insert(sources.arguments.end(), {"--workers", "14"});
            const auto loaded = sources.load();
            CHECK(loaded.values.workers == static_cast<int>(11 + stronger));
            CHECK(loaded.origins.at("workers") == origins[stronger]);
        }
    }
}

TEST_CASE("PORT is a bind to all addresses, weaker than any bind") {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    sources.environment["PORT"] = "5000";
    CHECK(sources.load().values.binds == Texts{"0.0.0.0:5000"});
    CHECK(sources.load().origins.at("bind") == "environment PORT");
    sources.write_file("bind = 'localhost:1'");
    CHECK(sources.load().values.binds == Texts{"localhost:1"});
}

TEST_CASE("a setting that may be repeated is replaced as a whole") {
    SettingsSources sources;
    sources.write_file("bind = [':1', ':2']\napp = 'myapp'\nenv = ['A=1']");
    CHECK(sources.load().values.binds == Texts{":1", ":2"});
    sources.environment["CPPCORN_CMD_ARGS"] = "-b :3 -e B=2 --bind=:4";
    CHECK(sources.load().values.binds == Texts{":3", ":4"});
    CHECK(sources.load().values.env == std::vector<std::pair<std::string, std::string>>{{"B", "2"}});
    sources.arguments = {"-b", "[::1]"};
    CHECK(sources.load().values.binds == Texts{"[::1]"});
}

TEST_CASE("of a setting that may not be repeated, the last one counts") {
    SettingsSources sources;
    sources.arguments = {"-w", "2", "myapp", "--workers=3", "--preload", "--preload=false"};
    CHECK(sources.load().values.workers == 3);
    CHECK_FALSE(sources.load().values.preload);
}

TEST_CASE("a blank variable counts as unset") {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    for (const char* blank : {"", " ", "\t\n"}) {
        sources.environment = {{"PORT", blank}, {"WEB_CONCURRENCY", blank}, {"CPPCORN_CMD_ARGS", blank}};
        const auto loaded = sources.load();
        CHECK(loaded.values.binds == Texts{"127.0.0.1:8000"});
        CHECK(loaded.values.workers == 1);
        CHECK(loaded.origins.at("bind") == "default");
    }
}

TEST_CASE("the app may come from each source") {
    SettingsSources sources;
    sources.write_file("app = 'filed:app'");
    CHECK(sources.load().values.app == "filed:app");
    sources.environment["CPPCORN_CMD_ARGS"] = R"('variable:create("x", 2)' -w 2)";
    CHECK(sources.load().values.app == R"(variable:create("x", 2))");
    sources.arguments = {"line:app"};
    CHECK(sources.load().values.app == "line:app");
}

TEST_CASE("another file is named by -c, in the folder that cppcorn is started in") {
    SettingsSources sources;
    sources.write_file("workers = 2");
    sources.write_file("workers = 3", "other.toml");
    sources.arguments = {"myapp", "-c", "other.toml"};
    const auto loaded = sources.load();
    CHECK(loaded.values.workers == 3);
    CHECK(loaded.values.config_file == "other.toml");
    CHECK(loaded.origins.at("workers") == "other.toml");
    sources.arguments = {"myapp", "--config=" + (sources.folder / "other.toml").string()};
    CHECK(sources.load().values.workers == 3);
    sources.arguments = {"myapp"};
    CHECK(sources.load().values.workers == 2);
    CHECK(sources.load().values.config_file == "cppcorn.toml");
    sources.environment["CPPCORN_CMD_ARGS"] = "-c other.toml";
    CHECK(sources.load().values.workers == 3);
}

TEST_CASE("keys may be spelled with dashes, and as gunicorn's") {
    SettingsSources sources;
    sources.write_file(
        "app = 'myapp'\nmax-requests = 5\nkeepalive = 2\npidfile = 'x'\nlog_level = 'WARNING'\nraw_env = 'A=b=c'");
    const auto values = sources.load().values;
    CHECK(values.worker.max_requests == 5);
    CHECK(values.worker.keep_alive == Milliseconds(2000));
    CHECK(values.pidfile == "x");
    CHECK(values.error_log.level == LogLevel::warning);
    CHECK(values.env.at(0) == std::pair<std::string, std::string>{"A", "b=c"});
}

TEST_CASE("flags have aliases, and dashes and underscores are the same") {
    SettingsSources sources;
    sources.arguments = {"myapp", "--error-logfile", "e.log", "--limit-request-field_size", "100", "--max_requests=9"};
    CHECK(sources.load().values.error_log.path == "e.log");
    CHECK(sources.load().values.worker.limits.field_size == 100);
    CHECK(sources.load().values.worker.max_requests == 9);
    sources.arguments = {"myapp", "--log-file=-", "--limit-request-field-size=200"};
    CHECK(sources.load().values.error_log.path == "-");
    CHECK(sources.load().values.worker.limits.field_size == 200);
}

TEST_CASE("values after a flag are taken as they are") {
    SettingsSources sources;
    sources.arguments = {"--access-logfile", "-", "-w010", "-t=.5", "myapp", "--chdir=", "-n", ""};
    CHECK(sources.error<SettingsError>() ==
          "command line: --timeout: '.5' is not a number of seconds from 0 to 31536000, such as 30, 30s or 0.5");
    sources.arguments[3] = "-t=0.5";
    const auto values = sources.load().values;
    CHECK(values.access_log.path == "-");
    CHECK(values.workers == 10);
    CHECK(values.worker.timeout == Milliseconds(500));
    CHECK(values.chdir.empty());
    CHECK(values.display_name() == "myapp");
}

TEST_CASE("zero means gunicorn's zero for the limits of a head") {
    SettingsSources sources;
    sources.arguments = {"myapp", "--limit-request-line=0", "--limit-request-field_size=0", "--limit-request-fields=0",
                         "--limit-request-head=32K"};
    const auto limits = sources.load().values.worker.limits;
    CHECK(limits.request_line == 32768);
    CHECK(limits.field_size == 32768);
    CHECK(limits.fields == 32768);
}

} // namespace
} // namespace cppcorn

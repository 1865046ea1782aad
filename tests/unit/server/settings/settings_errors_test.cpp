#include "tests/catch.hpp"
#include "tests/unit/server/settings/settings_sources.hpp"

namespace cppcorn {
namespace {

using Texts = std::vector<std::string>;

std::string file_error(const std::string& text) {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    sources.write_file(text);
    return sources.error<SettingsError>();
}

std::string value_error(const Texts& arguments) {
    SettingsSources sources;
    sources.arguments = arguments;
    sources.arguments.push_back("myapp");
    return sources.error<SettingsError>();
}

std::string usage_error(const Texts& arguments) {
    SettingsSources sources;
    sources.arguments = arguments;
    return sources.error<UsageError>();
}

std::string variable_error(const std::string& name, const std::string& text) {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    sources.environment[name] = text;
    return sources.error<SettingsError>() + sources.error<UsageError>();
}

TEST_CASE("a bad value in the file names the file, the key and what is allowed") {
    CHECK(file_error("workers = 'many'") ==
          "cppcorn.toml: workers: 'many' is not a whole number from 1 to 500, or 'auto'");
    CHECK(file_error("workers = [1, 2]") == "cppcorn.toml: workers: takes one value, not a list");
    CHECK(file_error("pid = 'a'\npidfile = 'b'") == "cppcorn.toml: pidfile: is given twice");
    CHECK(file_error("max_memory = '9X'") ==
          "cppcorn.toml: max_memory: '9X' is not a number of bytes from 0 to 1048576G, such as 8190, 64K, 512M or 2G");
    CHECK(file_error("preload = 1") == "cppcorn.toml: preload: '1' is not true or false");
    CHECK(file_error("bind = []") == "cppcorn.toml: bind: needs at least one address, such as 127.0.0.1:8000");
    CHECK(file_error("[server]") ==
          "cppcorn.toml: server: sections are not used here; write each setting as KEY = VALUE");
    CHECK(file_error("timeout = 5\nworkers = many").rfind("cppcorn.toml: line 2: ", 0) == 0);
}

TEST_CASE("an unknown key is refused, with a near one") {
    CHECK(file_error("wrokers = 4") == "cppcorn.toml: wrokers: unknown setting; did you mean workers?");
    CHECK(file_error("max-request = 4") == "cppcorn.toml: max-request: unknown setting; did you mean max_requests?");
    CHECK(file_error("colour = 'red'") == "cppcorn.toml: colour: unknown setting; cppcorn --help shows what there is");
    CHECK(file_error("threads = 4") == "cppcorn.toml: threads: one request at a time in each worker: use --workers 4");
    CHECK(file_error("uwsgi_allow_ips = '*'") ==
          "cppcorn.toml: uwsgi_allow_ips: has no meaning here: HTTP is what is spoken");
    CHECK(file_error("sendfile = false") ==
          "cppcorn.toml: sendfile: is written the other way round here: no_sendfile = true");
    CHECK(file_error("config = 'x'") == "cppcorn.toml: config: belongs on the command line, as --config");
    CHECK(file_error("help = true") == "cppcorn.toml: help: belongs on the command line, as --help");
}

TEST_CASE("a file that cannot be read is an error") {
    CHECK(value_error({"-c", "none.toml"}) == "cannot read configuration file 'none.toml': No such file or directory");
    CHECK(value_error({"-c", ""}) == "cannot read configuration file '': No such file or directory");
    CHECK(value_error({"-c", "."}) == "cannot read configuration file '.': Is a directory");
    CHECK(file_error(std::string((1 << 20) + 1, '#')) == "cppcorn.toml: is larger than 1 MiB");
}

TEST_CASE("a bad value on the command line says what is allowed") {
    const std::string count = " is not a whole number from 1 to 500, or 'auto'";
    for (const std::string text :
         {"many", "", "0", "501", "-1", "+1", "4x", "4.0", " 4", "0x4", "99999999999999999999"}) {
        CHECK(value_error({"--workers", text}) == "command line: --workers: '" + text + "'" + count);
    }
    const std::string time = " is not a number of seconds from 0 to 31536000, such as 30, 30s or 0.5";
    for (const std::string text : {"", "x", "-1", "1.", "1e3", "1.5m", "nan", "inf", "31536001"}) {
        CHECK(value_error({"-t", text}) == "command line: --timeout: '" + text + "'" + time);
    }
    CHECK(value_error({"-k", "gevent"}) ==
          "command line: --worker-class: 'gevent' is not supported; the worker classes are: sync");
    CHECK(value_error({"-b", "x:y"}) ==
          "command line: --bind: 'x:y' has no valid port; allowed: a whole number from 0 to 65535");
    CHECK(value_error({"-e", "A"}) == "command line: --env: 'A' is not NAME=VALUE");
    CHECK(value_error({"-e", "=b"}) == "command line: --env: '=b' is not NAME=VALUE");
    CHECK(value_error({"--header-map", "keep"}) ==
          "command line: --header-map: 'keep' is not one of: drop, refuse, dangerous");
    CHECK(value_error({"--log-level", "loud"}) ==
          "command line: --log-level: 'loud' is not one of: debug, info, warning, error, critical");
    CHECK(value_error({"--log-syslog-to", "udp://localhost:514"}) ==
          "command line: --log-syslog-to: 'udp://localhost:514' is not supported yet; allowed: unix:///dev/log");
    CHECK(value_error({"--limit-request-head", "1K"}).empty());
    CHECK(value_error({"--limit-request-head", "1023"}) ==
          "command line: --limit-request-head: '1023' is not a number of bytes from 1024 to 16M, such as 8190, 64K, "
          "512M or 2G");
    CHECK(value_error({"--preload=maybe"}) == "command line: --preload: 'maybe' is not true or false");
}

TEST_CASE("a format of the access log is looked at before there is a log") {
    CHECK(value_error({"--access-logformat", "%(nothing)s"}).find("command line: --access-logformat: bad access log") ==
          0);
    CHECK(value_error({"--access-logformat", "json"}).empty());
}

TEST_CASE("what would break a line for statsd is refused") {
    const std::string allowed = "; allowed: up to 500 printable characters of ASCII but space and ";
    for (const std::string bad : {"a b", "a:b", "a|b", "a@b", "a\nb", "\xc3\xa4"}) {
        CHECK(value_error({"--statsd-prefix", bad}).find(" is no part of a metric" + allowed + ":|@") !=
              std::string::npos);
    }
    CHECK(value_error({"--dogstatsd-tags", "a|b"}) ==
          "command line: --dogstatsd-tags: 'a|b' is no part of a metric" + allowed + "|");
    CHECK(value_error({"--dogstatsd-tags", "env:prod,zone:b@c"}).empty());
    CHECK(value_error({"--statsd-prefix", "shop.web."}).empty());
    CHECK(value_error({"--statsd-prefix", std::string(501, 'a')}).find(allowed) != std::string::npos);
    CHECK(value_error({"--statsd-host", "fd://3"}).find("'fd://3' is nowhere to send to") != std::string::npos);
    CHECK(value_error({"--statsd-host", ""}).empty());
}

TEST_CASE("a daemon needs a place for its log") {
    const std::string refusal = "daemon: needs --log-file PATH or --log-syslog; a daemon has no terminal to log to";
    CHECK(value_error({"--daemon"}) == refusal);
    CHECK(value_error({"--daemon", "--log-file", "/dev/stdout"}) == refusal);
    CHECK(value_error({"--daemon", "--log-file", "log"}).empty());
    CHECK(value_error({"--daemon", "--log-syslog"}).empty());
}

TEST_CASE("a message is one line, whatever was given") {
    CHECK(value_error({"-w", "a\nb\x1b\x7f\xc3\xbc"}) ==
          "command line: --workers: 'a?b??\xc3\xbc' is not a whole number from 1 to 500, or 'auto'");
}

TEST_CASE("a bad variable is named") {
    CHECK(variable_error("WEB_CONCURRENCY", "many") ==
          "environment WEB_CONCURRENCY: 'many' is not a whole number from 1 to 500, or 'auto'");
    CHECK(variable_error("PORT", "http") ==
          "environment PORT: '0.0.0.0:http' has no valid port; allowed: a whole number from 0 to 65535");
    CHECK(variable_error("CPPCORN_CMD_ARGS", "--workers many") ==
          "CPPCORN_CMD_ARGS: --workers: 'many' is not a whole number from 1 to 500, or 'auto'");
    CHECK(variable_error("CPPCORN_CMD_ARGS", "--wrokers 4") ==
          "CPPCORN_CMD_ARGS: unknown flag --wrokers; did you mean --workers?");
    CHECK(variable_error("CPPCORN_CMD_ARGS", "--name 'a") == "CPPCORN_CMD_ARGS has a ' that is not closed");
}

TEST_CASE("a command line that is wrong as such is usage") {
    CHECK(usage_error({}) == "no app given: cppcorn MODULE:APP, for example: cppcorn myapp:app");
    CHECK(usage_error({"a", "b"}) == "unexpected 'b': the app is 'a' already");
    CHECK(usage_error({"myapp", "--workers"}) == "--workers needs a value: --workers COUNT|auto");
    CHECK(usage_error({"myapp", "-w", "--preload"}) == "-w needs a value: -w COUNT|auto");
    CHECK(usage_error({"--wrokers", "4", "myapp"}) == "unknown flag --wrokers; did you mean --workers?");
    CHECK(usage_error({"--max-req=4", "myapp"}) == "unknown flag --max-req; did you mean --max-requests?");
    CHECK(usage_error({"--colour", "myapp"}) == "unknown flag --colour; cppcorn --help shows what there is");
    CHECK(usage_error({"-z", "myapp"}) == "unknown flag -z; cppcorn --help shows what there is");
    CHECK(usage_error({"myapp", "--preload="}) == "--preload= needs a value after its =");
    CHECK_FALSE(usage_error({"my app:("}).empty());
}

TEST_CASE("gunicorn's settings that are missing here are refused by name") {
    CHECK(usage_error({"--certfile", "x", "myapp"}) == "--certfile is not supported yet");
    CHECK(usage_error({"--ssl_version", "myapp"}) == "--ssl-version is not supported yet");
    CHECK(usage_error({"-R", "myapp"}) == "-R has no meaning here: the app's output is never held back");
    CHECK(usage_error({"--worker-tmp-dir=/dev/shm", "myapp"}) ==
          "--worker-tmp-dir has no meaning here: workers report through shared memory, not through files");
    CHECK(usage_error({"--paste", "x", "myapp"}) == "--paste is not supported: the app's own code can do that");
}

TEST_CASE("threads, of which a worker has one, are answered with the number of workers") {
    const std::string text = ": one request at a time in each worker: use --workers ";
    CHECK(usage_error({"--threads", "4", "myapp"}) == "--threads" + text + "4");
    CHECK(usage_error({"--threads=4", "--workers=2", "myapp"}) == "--threads" + text + "8");
    CHECK(usage_error({"-k", "gthread", "-w", "3", "myapp"}) == "--worker-class" + text + "3");
}

} // namespace
} // namespace cppcorn

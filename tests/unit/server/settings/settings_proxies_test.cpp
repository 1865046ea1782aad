#include "tests/catch.hpp"
#include "tests/unit/server/settings/settings_sources.hpp"

namespace cppcorn {
namespace {

using Texts = std::vector<std::string>;

Settings settings_of(const Texts& arguments) {
    SettingsSources sources;
    sources.arguments = arguments;
    sources.arguments.push_back("myapp");
    return sources.load().values;
}

std::string value_error(const Texts& arguments) {
    SettingsSources sources;
    sources.arguments = arguments;
    sources.arguments.push_back("myapp");
    return sources.error<SettingsError>();
}

TEST_CASE("this machine's own addresses are trusted unless others are named") {
    CHECK(settings_of({}).worker.forwarded_allow_ips.texts() == Texts{"127.0.0.1", "::1"});
    CHECK(settings_of({"--forwarded-allow-ips", "10.0.0.0/8,::1"}).worker.forwarded_allow_ips.texts() ==
          Texts{"10.0.0.0/8", "::1"});
    CHECK(settings_of({"--forwarded-allow-ips", ""}).worker.forwarded_allow_ips.texts().empty());
    CHECK(settings_of({"--forwarded-allow-ips", "*"}).worker.forwarded_allow_ips.holds_all());
}

TEST_CASE("FORWARDED_ALLOW_IPS and SCRIPT_NAME are read from the environment, and the file is stronger") {
    SettingsSources sources;
    sources.arguments = {"myapp"};
    sources.environment = {{"FORWARDED_ALLOW_IPS", "*"}, {"SCRIPT_NAME", "/shop"}};
    CHECK(sources.load().values.worker.forwarded_allow_ips.holds_all());
    CHECK(sources.load().values.worker.root_path == "/shop");
    CHECK(sources.load().origins.at("forwarded_allow_ips") == "environment FORWARDED_ALLOW_IPS");
    sources.write_file("forwarded_allow_ips = ['192.0.2.1', '192.0.2.2']\nroot_path = '/other/'");
    CHECK(sources.load().values.worker.forwarded_allow_ips.texts() == Texts{"192.0.2.1", "192.0.2.2"});
    CHECK(sources.load().values.worker.root_path == "/other");
    sources.environment = {{"FORWARDED_ALLOW_IPS", "here"}};
    CHECK(sources.error<SettingsError>().rfind(
              "environment FORWARDED_ALLOW_IPS: 'here' is no address or network; allowed: ", 0) == 0);
}

TEST_CASE("the secure scheme headers are gunicorn's, and may be others") {
    const auto usual = settings_of({}).worker.secure_scheme_headers;
    REQUIRE(usual.size() == 3);
    CHECK((usual[1].name == "X-FORWARDED-PROTO" && usual[1].value == "https"));
    const auto others = settings_of({"--secure-scheme-headers", "Front-End-Https: on, X-Scheme:https"});
    REQUIRE(others.worker.secure_scheme_headers.size() == 2);
    CHECK(others.worker.secure_scheme_headers[0].name == "Front-End-Https");
    CHECK(others.worker.secure_scheme_headers[1].value == "https");
    CHECK(settings_of({"--secure-scheme-headers", ""}).worker.secure_scheme_headers.empty());
    for (const char* bad : {"X-Scheme", "X-Scheme:", ": on", "X Scheme: on"}) {
        CHECK(value_error({"--secure-scheme-headers", bad}) ==
              "command line: --secure-scheme-headers: '" + std::string(bad) +
                  "' is no header with a value; allowed: NAME: VALUE, such as X-FORWARDED-PROTO: https");
    }
}

TEST_CASE("the forwarder headers are gunicorn's, and may be others") {
    CHECK(settings_of({}).worker.forwarder_headers == Texts{"SCRIPT_NAME", "PATH_INFO"});
    CHECK(settings_of({"--forwarder-headers", "REMOTE_USER,SCRIPT_NAME"}).worker.forwarder_headers ==
          Texts{"REMOTE_USER", "SCRIPT_NAME"});
    CHECK(value_error({"--forwarder-headers", "A B"}) ==
          "command line: --forwarder-headers: 'A B' is no header name; allowed: names, or * for all");
}

TEST_CASE("the root path begins with a slash and ends without one") {
    CHECK(settings_of({}).worker.root_path.empty());
    CHECK(settings_of({"--root-path", "/a/b/"}).worker.root_path == "/a/b");
    CHECK(settings_of({"--root-path", "/"}).worker.root_path.empty());
    CHECK(value_error({"--root-path", "shop"}) ==
          "command line: --root-path: 'shop' is no path; allowed: a path that begins with /, such as /shop");
    CHECK_FALSE(value_error({"--root-path", "/a\tb"}).empty());
}

TEST_CASE("the PROXY protocol is off unless a version is named") {
    using http::ProxyProtocol;
    CHECK(settings_of({}).worker.proxy_protocol == ProxyProtocol::off);
    CHECK(settings_of({"--proxy-protocol", "v2"}).worker.proxy_protocol == ProxyProtocol::v2);
    CHECK(settings_of({"--proxy-protocol=auto"}).worker.proxy_protocol == ProxyProtocol::automatic);
    CHECK(settings_of({"--proxy-protocol", "true"}).worker.proxy_protocol == ProxyProtocol::automatic);
    CHECK(value_error({"--proxy-protocol", "v3"}) ==
          "command line: --proxy-protocol: 'v3' is not one of: off, v1, v2, auto");
    CHECK(settings_of({}).worker.proxy_allow_from.texts() == Texts{"127.0.0.1", "::1"});
    SettingsSources sources;
    sources.arguments = {"myapp"};
    sources.write_file("proxy_protocol = false\nproxy_allow_ips = '10.0.0.0/8'");
    CHECK(sources.load().values.worker.proxy_protocol == ProxyProtocol::off);
    CHECK(sources.load().values.worker.proxy_allow_from.texts() == Texts{"10.0.0.0/8"});
}

TEST_CASE("settings: --proxy-protocol alone means auto, as gunicorn's flag does") {
    using http::ProxyProtocol;
    const auto loaded = [](const Texts& arguments) {
        SettingsSources sources;
        sources.arguments = arguments;
        return sources.load().values;
    };
    for (const Texts& arguments :
         {Texts{"--proxy-protocol", "myapp:app"}, Texts{"myapp:app", "--proxy-protocol"},
          Texts{"--proxy-protocol", "--preload", "myapp:app"}, Texts{"--proxy-protocol", "--", "myapp:app"}}) {
        CHECK(loaded(arguments).worker.proxy_protocol == ProxyProtocol::automatic);
        CHECK(loaded(arguments).app == "myapp:app");
    }
    CHECK(loaded({"--proxy-protocol", "./my.so"}).app == "./my.so");
    CHECK(loaded({"--proxy-protocol", "v1", "myapp:app"}).worker.proxy_protocol == ProxyProtocol::v1);
    SettingsSources variable;
    variable.arguments = {"myapp"};
    variable.environment = {{"CPPCORN_CMD_ARGS", "--proxy-protocol"}};
    CHECK(variable.load().values.worker.proxy_protocol == ProxyProtocol::automatic);
}

TEST_CASE("a bad address is told with what is allowed") {
    CHECK(
        value_error({"--forwarded-allow-ips", "127.0.0.1,10.0.0.0/33"}) ==
        "command line: --forwarded-allow-ips: '10.0.0.0/33' is no address or network; allowed: an address (192.0.2.1, "
        "2001:db8::1), a network (10.0.0.0/8, fd00::/8), or * for all");
}

} // namespace
} // namespace cppcorn

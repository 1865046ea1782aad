#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "server/settings/print.hpp"
#include "server/settings/reference.hpp"
#include "server/settings/settings_table.hpp"
#include "tests/catch.hpp"
#include "tests/unit/server/settings/settings_sources.hpp"
#include "workers/access_log/access_format.hpp"

namespace cppcorn {
namespace {

std::string answer_to(const std::vector<std::string>& arguments) {
    SettingsSources sources;
    sources.arguments = arguments;
    return sources.error<InformationRequest>();
}

TEST_CASE("the version is asked for") {
    CHECK(answer_to({"--version"}) == "cppcorn " CPPCORN_VERSION "\n");
    CHECK(answer_to({"-v", "-w", "wrong"}) == "cppcorn " CPPCORN_VERSION "\n");
}

TEST_CASE("the help shows each setting within 100 columns") {
    const std::string help = answer_to({"--help"});
    CHECK(help == answer_to({"-h"}));
    CHECK(help.rfind("Usage: cppcorn [FLAGS] MODULE[:NAME[(ARGS)]]\n", 0) == 0);
    for (const auto& setting : settings_table()) CHECK(help.find(setting.flag()) != std::string::npos);
    CHECK(help.find("\n  -b, --bind ADDRESS  ") != std::string::npos);
    CHECK(help.find("[127.0.0.1:8000]") != std::string::npos);
    CHECK(help.find("\nSocket:\n") < help.find("\nWorkers:\n"));
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
}

TEST_CASE("print-config shows each value and where it came from") {
    SettingsSources sources;
    sources.write_file("timeout = 2.5\nenv = ['A=\"x\"']");
    sources.environment = {{"PORT", "80"}, {"CPPCORN_CMD_ARGS", "--max-memory 512M"}};
    sources.arguments = {"myapp:app", "--print-config", "--preload"};
    const std::string printed = print_settings(sources.load());
    for (const char* line : {
             "app = \"myapp:app\"  # command line\n",
             "# config = \"cppcorn.toml\"  # default\n",
             "# print_config = true  # command line\n",
             "bind = [\"0.0.0.0:80\"]  # environment PORT\n",
             "timeout = 2.5  # cppcorn.toml\n",
             "env = [\"A=\\\"x\\\"\"]  # cppcorn.toml\n",
             "max_memory = \"512M\"  # CPPCORN_CMD_ARGS\n",
             "preload = true  # command line\n",
             "workers = 1  # default\n",
             "access_logfile = \"\"  # default\n",
         }) {
        INFO(line);
        CHECK(printed.find(line) != std::string::npos);
    }
}

TEST_CASE("what print-config shows is a configuration file for the same settings") {
    SettingsSources sources;
    sources.arguments = {"myapp:create(\"a\\n\")",
                         "-b",
                         ":1",
                         "-b",
                         "unix:/a b",
                         "-w",
                         "3",
                         "-t",
                         "0.25",
                         "-n",
                         "a#\"b\"\t\\",
                         "-e",
                         "A=1",
                         "-e",
                         "B=",
                         "--max-memory",
                         "3M",
                         "--header-map",
                         "refuse",
                         "--log-syslog"};
    const auto first = sources.load();
    sources.write_file(print_settings(first));
    sources.arguments.clear();
    const auto second = sources.load();
    for (const auto& setting : settings_table()) {
        if (!setting.value.show || setting.scope == Setting::Scope::command_line) continue;
        INFO(setting.key());
        CHECK(setting.value.show(first.values) == setting.value.show(second.values));
    }
}

TEST_CASE("--help and docs/settings.md list the access log's atoms") {
    std::string letters;
    for (const AccessAtom& atom : access_atoms()) {
        CHECK(settings_reference().find("| `" + atom.spelling + "` | ") != std::string::npos);
        if (atom.spelling.size() == std::string_view("%(h)s").size()) letters += atom.spelling[2];
    }
    std::string help;
    for (const auto& setting : settings_table()) {
        if (setting.key() == "access_logformat") help = setting.help;
    }
    CHECK(help.find(" an x of " + letters + ",") != std::string::npos);
}

// CPPCORN_UPDATE_DOCS=1 writes the file instead.
TEST_CASE("docs/settings.md is what the table says") {
    const auto path = std::filesystem::path(CPPCORN_DOCS) / "settings.md";
    if (const char* update = std::getenv("CPPCORN_UPDATE_DOCS"); update != nullptr && std::string(update) == "1") {
        std::ofstream(path) << settings_reference();
    }
    std::ifstream file(path);
    const std::string committed{std::istreambuf_iterator<char>(file), {}};
    CHECK(committed == settings_reference());
}

} // namespace
} // namespace cppcorn

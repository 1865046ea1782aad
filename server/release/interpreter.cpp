#include "server/release/interpreter.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "server/process/hosting.hpp"
#include "server/release/release.hpp"

namespace cppcorn {
namespace {

namespace fs = std::filesystem;

// From the program's directory: as it is built, and as it is installed.
constexpr std::array<std::string_view, 2> package_places{"python/cppcorn", CPPCORN_PYTHON_PACKAGE};

std::string launcher() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (const std::string_view place : package_places) {
        const fs::path file = (program.parent_path() / place / "__main__.py").lexically_normal();
        if (fs::exists(file, error)) return file.string();
    }
    return {};
}

bool is_program(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string on_path(std::string_view path, std::string_view name) {
    while (!path.empty()) {
        const std::size_t colon = path.find(':');
        std::string file = std::string(path.substr(0, colon)) + "/" + std::string(name);
        if (colon != 0 && is_program(file)) return file;
        path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
    }
    return {};
}

constexpr int most_links = 40; // as the kernel

// Whether nobody but root can change what the path leads to: neither the file nor a directory or link on the way.
bool is_roots_alone(const fs::path& path, int links = 0) {
    fs::path way;
    for (auto part = path.begin(); part != path.end(); ++part) {
        way /= *part;
        struct stat status {};
        if (::lstat(way.c_str(), &status) != 0 || status.st_uid != 0 || links > most_links) return false;
        const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
        if (S_ISLNK(status.st_mode)) {
            std::error_code error;
            fs::path target = way.parent_path() / fs::read_symlink(way, error);
            for (++part; part != path.end(); ++part) target /= *part;
            return !error && is_roots_alone(target.lexically_normal(), links + 1);
        }
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_sticky) return false;
    }
    return true;
}

// Root runs what it finds there, and pyvenv.cfg says where Python's own modules are.
void check_environment(const fs::path& place) {
    std::error_code error;
    for (const fs::path& file : {place / "bin/python3", place / "pyvenv.cfg"}) {
        if (!fs::exists(fs::symlink_status(file, error)) || is_roots_alone(file)) continue;
        throw std::runtime_error("python: " + file.string() + " can be changed by others than root, who starts the " +
                                 "server; --python names an interpreter that is to be trusted");
    }
}

std::string found_interpreter(bool is_for_another_user) {
    std::vector<std::string> places;
    if (const char* const environment = std::getenv("VIRTUAL_ENV")) places.emplace_back(environment);
    places.insert(places.end(), {".venv", "venv"});
    for (const auto& place : places) {
        const fs::path directory = fs::absolute(place).lexically_normal();
        std::string file = (directory / "bin/python3").string();
        if (!is_program(file)) continue;
        if (is_for_another_user) check_environment(directory);
        return file;
    }
    const char* const path = std::getenv("PATH");
    return on_path(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", "python3");
}

std::string asked_interpreter(const std::string& wanted) {
    const char* const path = std::getenv("PATH");
    const bool is_path = wanted.find('/') != std::string::npos;
    std::string file = is_path ? fs::absolute(wanted).string() : on_path(path != nullptr ? path : "", wanted);
    if (file.empty() || !is_program(file)) throw std::runtime_error("python: '" + wanted + "' is no program");
    return file;
}

// No code of the workers' user is to run as root.
bool is_for_another_user(const Settings& settings) {
    return ::geteuid() == 0 && !settings.user.empty();
}

[[noreturn]] void become(const std::string& interpreter, const std::string& file, const Settings& settings,
                         const StartContext& start) {
    std::vector<std::string> arguments{interpreter};
    // What lies in the user's directories, the workers import themselves.
    if (is_for_another_user(settings)) arguments.insert(arguments.end(), {"-E", "-s", "-S"});
    arguments.push_back(file);
    arguments.insert(arguments.end(), start.arguments().begin() + 1, start.arguments().end());
    std::vector<std::string> environment = start.environment();
    environment.push_back("CPPCORN_LAUNCHER=" CPPCORN_VERSION);
    const auto pointers = [](std::vector<std::string>& texts) {
        std::vector<char*> list;
        for (auto& text : texts) list.push_back(text.data());
        list.push_back(nullptr);
        return list;
    };
    start.enter_directory();
    ::execve(interpreter.c_str(), pointers(arguments).data(), pointers(environment).data());
    throw_system_error("cannot run " + interpreter);
}

// A variable that is blank counts as unset.
bool is_given(const std::vector<std::string>& environment, std::string_view name) {
    for (const std::string_view variable : environment) {
        const std::size_t equals = variable.find('=');
        if (variable.substr(0, equals) != name) continue;
        return variable.find_first_not_of(" \t", equals + 1) != std::string_view::npos;
    }
    return false;
}

} // namespace

void note_unread_settings(const StartContext& start) {
    if (hosting() == nullptr) return;
    if (is_given(start.environment(), "GUNICORN_CMD_ARGS")) {
        spdlog::warn("GUNICORN_CMD_ARGS is not read; the variable of that kind is CPPCORN_CMD_ARGS here");
    }
    std::error_code error;
    if (fs::exists("gunicorn.conf.py", error)) {
        spdlog::info("gunicorn.conf.py is not read; settings are in cppcorn.toml here (docs/from-gunicorn.md)");
    }
}

void become_interpreter_if_needed(const Settings& settings, const StartContext& start) {
    const bool reads_python = !settings.import_gunicorn_conf.empty();
    if (hosting() != nullptr || (settings.bridge == BridgeChoice::none && !reads_python)) return;
    const bool is_asked_for = settings.bridge == BridgeChoice::python || reads_python;
    if (!is_asked_for && has_library(settings)) return;
    const std::string file = launcher();
    if (file.empty() && is_asked_for) {
        throw std::runtime_error("bridge: this cppcorn was built without its module for Python");
    }
    if (file.empty()) return;
    const std::string interpreter =
        settings.python.empty() ? found_interpreter(is_for_another_user(settings)) : asked_interpreter(settings.python);
    if (interpreter.empty() && is_asked_for) throw std::runtime_error("bridge: there is no python3 on PATH");
    if (!interpreter.empty()) become(interpreter, file, settings, start);
}

} // namespace cppcorn

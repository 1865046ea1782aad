// Makes the settings of a run out of, low to high: defaults, environment, file, CPPCORN_CMD_ARGS, command line.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/settings/settings.hpp"

namespace cppcorn {

// A bad value or file: exit code 1. what() is one line that names the source, the setting and what is allowed.
class SettingsError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A command line that is wrong as such (unknown flag, missing value, no app, bad app spec): exit code 2.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// --help or --version were asked for: print what() to stdout, exit 0.
class InformationRequest : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct LoadedSettings {
    Settings values;
    std::map<std::string, std::string>
        origins; // setting -> "default", "environment PORT", "cppcorn.toml", "CPPCORN_CMD_ARGS", "command line"
    std::string directory; // the current one as the start and --chdir name it, links and all; empty: not known
};

using EnvironmentLookup = std::function<const char*(const char*)>;

// `arguments` without the program's name. Reads the configuration file, nothing else; changes nothing in the process,
// so that a reload can call it again. A relative file is looked for in `starting_directory`: the current one if empty,
// which a reload after --chdir must not rely on.
LoadedSettings load_settings(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                             const std::string& starting_directory = "");

// The same for a program that talks to the server rather than being it: no app is needed, and what is not its business is
// not checked.
Settings load_settings_of_client(const std::vector<std::string>& arguments, const EnvironmentLookup& environment);

} // namespace cppcorn

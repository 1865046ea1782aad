// The sources of settings, for tests: arguments, an environment and a folder that may hold a file.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "server/settings/settings_loader.hpp"

namespace cppcorn {

class SettingsSources {
  public:
    SettingsSources() {
        std::string name = (std::filesystem::temp_directory_path() / "cppcorn-settings-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
        folder = name;
    }
    SettingsSources(const SettingsSources&) = delete;
    SettingsSources& operator=(const SettingsSources&) = delete;
    ~SettingsSources() { std::filesystem::remove_all(folder); }

    void write_file(const std::string& text, const std::string& name = "cppcorn.toml") const {
        std::ofstream(folder / name) << text;
    }

    LoadedSettings load() const {
        const auto lookup = [this](const char* name) -> const char* {
            const auto variable = environment.find(name);
            return variable == environment.end() ? nullptr : variable->second.c_str();
        };
        return load_settings(arguments, lookup, folder.string());
    }

    // What the error of load() says; "" if there is none or it is of another type.
    template <class Error>
    std::string error() const {
        try {
            load();
        } catch (const Error& error) {
            return error.what();
        } catch (const std::exception&) {
        }
        return "";
    }

    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    std::filesystem::path folder;
};

} // namespace cppcorn

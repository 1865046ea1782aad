// The text of a configuration file: TOML, of which a flat list of settings needs `key = value` with strings, numbers,
// true, false and arrays of these.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

struct ConfigEntry {
    std::string key;
    std::vector<std::string> texts;
    bool is_array = false;
};

// what() begins with the key or, where there is none, with the line: "line 3: …".
class ConfigFileError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// In the file's order. Throws ConfigFileError.
std::vector<ConfigEntry> parse_config_file(std::string_view text);

} // namespace cppcorn

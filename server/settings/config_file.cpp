#include "server/settings/config_file.hpp"

#include <algorithm>
#include <charconv>

#include "server/settings/toml_guard.hpp"

// Header-only: one library less for the server to find at run time.
#define TOML_HEADER_ONLY 1
// What it would assert about a file, it also reports as an error.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

namespace cppcorn {
namespace {

// As a person would write it: 0.5, not 0.500000.
std::string real_text(double number) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    return std::string(digits, end);
}

std::string value_text(const std::string& key, const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* number = node.as_floating_point()) return real_text(number->get());
    if (const auto* is_on = node.as_boolean()) return is_on->get() ? "true" : "false";
    throw ConfigFileError(key + ": takes text, a number, true or false, or a list of these");
}

ConfigEntry make_entry(const std::string& key, const toml::node& node) {
    if (node.is_table()) throw ConfigFileError(key + ": sections are not used here; write each setting as KEY = VALUE");
    ConfigEntry entry{key, {}, node.is_array()};
    if (const auto* list = node.as_array()) {
        for (const auto& element : *list) entry.texts.push_back(value_text(key, element));
    } else {
        entry.texts.push_back(value_text(key, node));
    }
    return entry;
}

} // namespace

std::vector<ConfigEntry> parse_config_file(std::string_view text) {
    if (const auto line = line_of_stray_letter(text)) {
        throw ConfigFileError("line " + std::to_string(*line) + ": letters beyond ASCII belong in quotes");
    }
    toml::table table;
    try {
        table = toml::parse(text);
    } catch (const toml::parse_error& error) {
        throw ConfigFileError("line " + std::to_string(error.source().begin.line) + ": " +
                              std::string(error.description()));
    }
    std::vector<std::pair<std::uint32_t, ConfigEntry>> found; // with the line that it stands on
    for (const auto& [key, node] : table) {
        found.emplace_back(key.source().begin.line, make_entry(std::string(key.str()), node));
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<ConfigEntry> entries;
    for (auto& [line, entry] : found) entries.push_back(std::move(entry));
    return entries;
}

} // namespace cppcorn

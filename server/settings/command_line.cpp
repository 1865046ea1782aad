#include "server/settings/command_line.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "server/settings/rows/refused.hpp"
#include "server/settings/settings_loader.hpp"
#include "server/settings/settings_table.hpp"
#include "server/settings/spelling.hpp"

namespace cppcorn {
namespace {

bool is_long_flag(const std::string& word) {
    return word.size() > 2 && word.compare(0, 2, "--") == 0;
}

bool is_short_flag(const std::string& word) {
    return word.size() == 2 && word[0] == '-' && word[1] != '-';
}

std::string with_dashes(const std::string& name) {
    std::string dashed = name;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    return dashed;
}

// The setting of a word that is a flag and nothing else.
const Setting* find_flag(const std::string& word) {
    for (const auto& setting : settings_table()) {
        if (setting.is_positional()) continue;
        if (is_short_flag(word) && setting.short_flag == word[1]) return &setting;
        if (!is_long_flag(word)) continue;
        for (const auto& name : setting.names) {
            if (with_dashes(name) == with_dashes(word.substr(2))) return &setting;
        }
    }
    return nullptr;
}

// Of a word behind a flag that can do without a value.
bool is_app(const std::string& word) {
    return word.find_first_of(":./") != std::string::npos;
}

// How many words the value takes: none where the flag stands alone.
std::size_t append_value(std::vector<std::string>& words, const Setting& setting, const std::string& flag,
                         const std::string* value) {
    const bool is_missing = value == nullptr || *value == "--" || find_flag(*value) != nullptr;
    const bool is_bare = setting.bare_value != nullptr && (is_missing || is_app(*value));
    if (is_missing && !is_bare) throw UsageError(flag + " needs a value: " + flag + " " + setting.value_name);
    words.push_back(is_bare ? setting.bare_value : *value);
    return is_bare ? 0 : 1;
}

// CLI11 takes "--chdir=" as a flag whose value is the next word, and the flag after a flag as its value. Each flag that
// takes a value leaves here as two words, the second being its value for certain.
std::vector<std::string> separate_values(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--") {
            words.insert(words.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
            break;
        }
        const bool may_hold_value = is_long_flag(word) || is_short_flag(word.substr(0, word.find('=')));
        const auto equals = may_hold_value ? word.find('=') : std::string::npos;
        const std::string flag = word.substr(0, equals);
        words.push_back(is_long_flag(word) ? with_dashes(flag) : flag);
        const Setting* setting = find_flag(flag);
        if (equals != std::string::npos && (setting == nullptr || !setting->takes_value())) {
            if (equals + 1 == word.size()) throw UsageError(word + " needs a value after its =");
            words.back() += word.substr(equals);
        } else if (equals != std::string::npos) {
            words.push_back(word.substr(equals + 1));
        } else if (setting != nullptr && setting->takes_value()) {
            i += append_value(words, *setting, flag, i + 1 < arguments.size() ? &arguments[i + 1] : nullptr);
        }
    }
    return words;
}

std::string option_names(const Setting& setting) {
    if (setting.is_positional()) return setting.names.front();
    std::string names = setting.short_flag != 0 ? std::string("-") + setting.short_flag : "";
    for (const auto& name : setting.names) names += (names.empty() ? "--" : ",--") + with_dashes(name);
    return names;
}

CLI::Option* add_option(CLI::App& parser, const Setting& setting) {
    auto* option =
        setting.takes_value() ? parser.add_option(option_names(setting)) : parser.add_flag(option_names(setting));
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

[[noreturn]] void refuse_flag(const std::string& word) {
    const bool is_long = is_long_flag(word);
    const std::string name = is_long ? word.substr(2, word.find('=') - 2) : word.substr(1, 1);
    const std::string flag = (is_long ? "--" : "-") + name;
    if (const auto why = refusal_of(name)) throw UsageError(flag + " " + *why);
    const std::string nearest = is_long ? nearest_flag(name) : "";
    if (nearest.empty()) throw UsageError("unknown flag " + flag + "; cppcorn --help shows what there is");
    throw UsageError("unknown flag " + flag + "; did you mean --" + nearest + "?");
}

// What CLI11 could not place: flags that it does not know, "--", and positionals after the first.
void refuse_extras(const std::vector<std::string>& extras, const std::vector<std::string>& apps) {
    bool flags_ended = false;
    for (const auto& word : extras) {
        if (word == "--" && !flags_ended) {
            flags_ended = true;
        } else if (!flags_ended && word.size() > 1 && word[0] == '-') {
            refuse_flag(word);
        }
    }
    for (const auto& word : extras) {
        if (word != "--") throw UsageError("unexpected '" + word + "': the app is '" + apps.front() + "' already");
    }
}

} // namespace

std::vector<GivenSetting> parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App parser;
    parser.set_help_flag();
    parser.allow_extras();
    std::vector<std::pair<const Setting*, CLI::Option*>> options;
    for (const auto& setting : settings_table()) options.emplace_back(&setting, add_option(parser, setting));

    auto words = separate_values(arguments);
    std::reverse(words.begin(), words.end());
    try {
        parser.parse(std::move(words));
    } catch (const CLI::Error& error) {
        throw UsageError(error.what());
    }
    std::vector<GivenSetting> given;
    std::vector<std::string> apps;
    for (const auto& [setting, option] : options) {
        if (option->count() > 0) given.push_back({setting, option->results()});
        if (setting->is_positional()) apps = option->results();
    }
    refuse_extras(parser.remaining(), apps);
    return given;
}

} // namespace cppcorn

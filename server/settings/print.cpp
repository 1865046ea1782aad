#include "server/settings/print.hpp"

#include <algorithm>

#include "server/settings/settings_table.hpp"

namespace cppcorn {
namespace {

std::string quoted(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
            case '\\':
                quoted += {'\\', c};
                break;
            case '\n':
                quoted += "\\n";
                break;
            case '\r':
                quoted += "\\r";
                break;
            case '\t':
                quoted += "\\t";
                break;
            default:
                quoted += c;
        }
    }
    return quoted + '"';
}

bool is_plain_number(const std::string& text) {
    return text.find_first_not_of("0123456789.") == std::string::npos;
}

std::string toml_value(const Setting& setting, const Settings& settings) {
    const auto texts = setting.value.show(settings);
    if (setting.is_list()) {
        std::string joined;
        for (const auto& text : texts) joined += (joined.empty() ? "" : ", ") + quoted(text);
        return "[" + joined + "]";
    }
    const auto kind = setting.value.kind;
    const bool is_bare =
        kind == SettingValue::Kind::flag || (kind == SettingValue::Kind::number && is_plain_number(texts.front()));
    return is_bare ? texts.front() : quoted(texts.front());
}

} // namespace

std::string print_settings(const LoadedSettings& settings) {
    std::string lines;
    for (const auto& setting : settings_table()) {
        if (!setting.value.show) continue;
        // Flags of this one run are told, but do not belong into a file.
        if (setting.scope == Setting::Scope::command_line) lines += "# ";
        const auto origin = settings.origins.find(setting.key());
        lines += setting.key() + " = " + toml_value(setting, settings.values) + "  # " +
                 (origin == settings.origins.end() ? "default" : origin->second) + "\n";
    }
    return lines;
}

} // namespace cppcorn

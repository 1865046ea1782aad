// The table of all settings. --help, --print-config, docs/settings.md, the command line and the file are made from it:
// a new setting is one row here and its field in Settings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

// In the order in which they are shown.
const std::vector<Setting>& settings_table();

// The title of a group: "Socket".
const char* group_title(Setting::Group group);

// By flag name (without dashes) or key, in any spelling; null for none.
const Setting* find_setting(std::string_view name);

// A setting of gunicorn's that is refused.
struct RefusedSetting {
    std::vector<std::string> names; // long flags without their dashes, and keys
    char short_flag;                // 0: none
    const char* why;                // follows the name: "is not supported yet"
};

const std::vector<RefusedSetting>& refused_settings();

// Why a name (or, of one character, a short flag) is refused; nothing for one that is not in that table.
std::optional<std::string> refusal_of(std::string_view name);

// The flag (without its dashes) or key that is most like an unknown one; empty if none is near.
std::string nearest_flag(std::string_view name);
std::string nearest_key(std::string_view name);

} // namespace cppcorn

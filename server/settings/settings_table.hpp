// The table of all settings. --help, --print-config, docs/settings.md, the command line and the file are made from it:
// a new setting is one row in server/settings/rows/ and its field in the part of Settings that its reader has.
#pragma once

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

} // namespace cppcorn

// From words of a command line to settings, by the flags of the settings table.
#pragma once

#include <string>
#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

struct GivenSetting {
    const Setting* setting;
    std::vector<std::string> texts; // one for each time it was given; "true" for a switch without a value
};

// In the table's order. The texts are not checked. Throws UsageError for what is not a flag, for a flag without its
// value and for a second app.
std::vector<GivenSetting> parse_command_line(const std::vector<std::string>& arguments);

} // namespace cppcorn

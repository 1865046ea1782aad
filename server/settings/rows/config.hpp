// Rows of the settings table: the app, the configuration file, and what is asked about them.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> config_rows();

} // namespace cppcorn

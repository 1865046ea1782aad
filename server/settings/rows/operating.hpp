// Rows of the settings table: how the service shows itself while it runs.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> operating_rows();

} // namespace cppcorn

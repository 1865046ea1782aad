// Rows of the settings table: the two logs.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> logging_rows();

} // namespace cppcorn

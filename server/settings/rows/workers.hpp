// Rows of the settings table: how many workers there are, and for how long.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> worker_rows();

} // namespace cppcorn

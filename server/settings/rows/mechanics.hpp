// Rows of the settings table: what the process is to the system around it.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> mechanics_rows();

} // namespace cppcorn

// Rows of the settings table that have a file of their own.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> mechanics_rows();
std::vector<Setting> proxy_rows();

} // namespace cppcorn

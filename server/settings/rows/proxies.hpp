// Rows of the settings table: what is believed of a proxy in front.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> proxy_rows();

} // namespace cppcorn

// Rows of the settings table: where to listen.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> socket_rows();

} // namespace cppcorn

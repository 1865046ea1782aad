// Rows of the settings table: what a client may send, and how slowly.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> limit_rows();

} // namespace cppcorn

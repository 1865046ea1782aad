// Rows of the settings table: how many workers there are, and for how long.
#pragma once

#include <vector>

#include "server/settings/setting.hpp"

namespace cppcorn {

std::vector<Setting> worker_rows();

// gunicorn's name for workers with threads. The row takes it, for what is said of it depends on the number of workers,
// which may come later.
inline constexpr const char* threaded_worker_class = "gthread";

} // namespace cppcorn

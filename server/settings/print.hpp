// --print-config.
#pragma once

#include <string>

#include "server/settings/settings_loader.hpp"

namespace cppcorn {

// The lines of --print-config: each setting, its value and where it came from.
std::string print_settings(const LoadedSettings& settings);

} // namespace cppcorn

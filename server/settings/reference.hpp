// docs/settings.md, made from the settings table.
#pragma once

#include <string>

namespace cppcorn {

// docs/settings.md, whole.
std::string settings_reference();

} // namespace cppcorn

// --help, made from the settings table.
#pragma once

#include <string>

namespace cppcorn {

std::string help_text();

} // namespace cppcorn

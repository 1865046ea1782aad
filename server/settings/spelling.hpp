// What somebody may have meant who misspelt a setting.
#pragma once

#include <string>
#include <string_view>

namespace cppcorn {

// The flag (without its dashes) or key that is most like an unknown one; empty if none is near.
std::string nearest_flag(std::string_view name);
std::string nearest_key(std::string_view name);

} // namespace cppcorn

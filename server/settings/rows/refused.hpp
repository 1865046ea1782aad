// The settings of gunicorn's that have no meaning here, or none yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

// A setting of gunicorn's that is refused.
struct RefusedSetting {
    std::vector<std::string> names; // long flags without their dashes, and keys
    char short_flag;                // 0: none
    const char* why;                // follows the name: "is not supported yet"
};

const std::vector<RefusedSetting>& refused_settings();

// Why a name (or, of one character, a short flag) is refused; nothing for one that is not in that table.
std::optional<std::string> refusal_of(std::string_view name);

} // namespace cppcorn

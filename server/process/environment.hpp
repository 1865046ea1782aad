// Variables of the environment that are meant for this process alone.
#pragma once

#include <cstdlib>
#include <string>

namespace cppcorn {

// The variable's text, which is removed, so that no child takes it for its own; "" if there is none.
inline std::string take_variable(const char* name) {
    const char* text = std::getenv(name);
    std::string value = text != nullptr ? text : "";
    ::unsetenv(name);
    return value;
}

} // namespace cppcorn

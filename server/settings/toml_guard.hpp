// Letters beyond ASCII in a TOML text. They belong in quotes and comments; elsewhere TOML allows none, and toml++ 3.3
// has undefined behaviour for many of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cppcorn {

// The line, from 1, of the first one that stands elsewhere; nothing if there is none.
std::optional<std::size_t> line_of_stray_letter(std::string_view text);

} // namespace cppcorn

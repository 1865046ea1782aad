// Splits a line into words as a POSIX shell does, without expanding anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cppcorn {

// Blanks and line ends separate; '…' is literal; in "…" a backslash escapes " \ $ and `; elsewhere it escapes any
// character. Throws std::invalid_argument for a quote that is not closed and for a backslash at the end.
std::vector<std::string> split_shell_words(std::string_view line);

} // namespace cppcorn

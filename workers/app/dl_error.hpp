// The dynamic loader's complaints in the operator's words.
#pragma once

#include <string>
#include <string_view>

namespace cppcorn {

// One line that says why the library at `path` cannot be loaded and what to do, from dlerror()'s text (glibc's and
// musl's wording is known; any other is passed on, escaped). `real_path` is the name that the loader was given.
std::string explain_dl_error(std::string_view path, std::string_view real_path, std::string_view text);

} // namespace cppcorn

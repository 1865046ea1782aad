// Whether a file can be an app module at all, found out without running any of its code.
#pragma once

#include <string>

namespace cppcorn {

// Throws AppLoadError if that file is not a readable, whole ELF shared library for this machine, is not a cppcorn module,
// or does not define the app `name`. `path`: what it is called in messages.
void check_app_file(const std::string& path, const std::string& file_name, const std::string& name);

} // namespace cppcorn

// Where an app's library is looked for.
#pragma once

#include <string>
#include <vector>

#include "workers/app/app_spec.hpp"

namespace cppcorn {

// Where the module of a spec is: a path where MODULE has a "/" or ends in ".so", which it may lack (DIR/NAME is also
// DIR/NAME.so and DIR/libNAME.so); else each of app_dirs, of the directories of the variable CPPCORN_APP_PATH (`app_path`, colon-separated), and the current directory, with
// MODULE.so, then libMODULE.so in each. Never the system's library path. Throws AppLoadError.
std::string find_app_module(const AppSpec& spec, const std::vector<std::string>& app_dirs, const std::string& app_path);

} // namespace cppcorn

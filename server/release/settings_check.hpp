// --check-config: whether a start would find its settings, its files and its app in order. Binds, makes and changes
// nothing.
#pragma once

#include "server/settings/settings_loader.hpp"

namespace cppcorn {

// Says on stderr what is wrong with the app, or in one line on stdout what a start would serve. Returns the exit code that
// the start would end with. Throws std::exception with one line for a file or directory that could not be used. Settings
// of which single values are wrong have not come this far: load_settings() throws.
int check_settings(LoadedSettings loaded);

} // namespace cppcorn

// --check-config: whether a start would find its settings and its app in order. Binds nothing and writes no log.
#pragma once

#include "server/settings/settings_loader.hpp"

namespace cppcorn {

// Says on stderr what is wrong, or in one line on stdout what a start would serve. Returns the exit code that the start would end with. Settings of which single values
// are wrong have not come this far: load_settings() throws.
int check_settings(LoadedSettings loaded);

} // namespace cppcorn

// What an app that loads apps of another language learns of its surroundings (cppcorn_bridge in the ABI).
#pragma once

#include <string>
#include <vector>

#include <cppcorn/abi.h>

#include "server/settings/settings.hpp"

namespace cppcorn {

// Makes the table of these settings the one that apps get from now on; the one before stays valid.
void offer_bridge_table(const Settings& settings);

// Whether the interpreter that hosts this process has such a module, or the package that it is in. There is one.
bool is_known_to_interpreter(const Settings& settings);

// The files that apps in this process have asked to be watched.
const std::vector<std::string>& watched_by_app();

} // namespace cppcorn

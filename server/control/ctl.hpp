// `cppcorn ctl COMMAND`: steers a service that runs, by its control socket. It waits for what becomes of the order, and
// ends with a code that tells (server/control/control_codes.hpp).
#pragma once

#include <string>
#include <vector>

namespace cppcorn {

// `arguments`: those behind "ctl". Prints to stdout what was done, and to stderr in one line why it was not. Returns the
// exit code; nothing is thrown.
int run_ctl(const std::vector<std::string>& arguments);

} // namespace cppcorn

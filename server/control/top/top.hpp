// `cppcorn top`: the table of workers in a terminal, with keys for what `cppcorn ctl` does.
#pragma once

#include <string>
#include <vector>

namespace cppcorn {

// `arguments`: those behind "top". Asks at the control socket, found as ctl finds it, or at the status address that is
// given instead, which takes no orders. What goes wrong before there is anything to see is one line on stderr, and a
// code (server/control/control_codes.hpp); what goes wrong later is shown, and tried again. Nothing is thrown.
int run_top(const std::vector<std::string>& arguments);

} // namespace cppcorn

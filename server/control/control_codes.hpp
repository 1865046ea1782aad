// What `cppcorn ctl` exits with, and what the outcome of an order says. 0, 1 and 2 are as elsewhere
// (server/process/exit_codes.hpp): done; settings that cannot be read; a command line or an order that is wrong as such.
#pragma once

namespace cppcorn {

enum ControlCode {
    control_done = 0,
    control_usage = 2,       // an unknown command, or one with a wrong argument
    control_failed = 10,     // tried, and come to nothing: the text says why
    control_not_now = 11,    // such as a reload while one is under way
    control_no_slot = 12,    // no worker has that slot
    control_no_socket = 13,  // no --control-socket is set
    control_absent = 14,     // nobody listens there
    control_forbidden = 15,  // not for this user
    control_no_outcome = 16, // no answer, or not in time: what was ordered may have been done
};

} // namespace cppcorn

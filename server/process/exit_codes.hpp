// The exit codes of the master, and of workers towards it.
#pragma once

namespace cppcorn {

enum ExitCode {
    exit_clean = 0,
    exit_settings = 1, // settings, pidfile
    exit_usage = 2,
    exit_no_worker = 3,  // no worker could start
    exit_no_app = 4,     // the app cannot be loaded
    exit_no_address = 5, // an address cannot be bound, also after --bind-retry
};

} // namespace cppcorn

// --daemon: the process that was started stays until the daemon serves or has failed, and ends with its exit code; so a
// script that starts one knows. Until then, the master prints to the terminal as usual; workers never do.
#pragma once

#include "base/server_fd.hpp"
#include "server/settings/settings.hpp"

namespace cppcorn {

// Whether this process belongs to a terminal, which sends it signals of its own accord.
bool has_terminal();

// Standard streams become /dev/null; stdout and stderr stay where --capture-output has sent them. Throws
// std::system_error.
void leave_terminal(const Settings& settings);

class Daemon {
  public:
    // Returns in the daemon, in a session of its own without a terminal. Throws std::system_error.
    void detach();

    // It serves: lets go of the standard streams, and the first process ends with 0. True the first time, and only if
    // the settings ask for a daemon; then logs to the terminal have to be opened again.
    bool serves(const Settings& settings);
    // It has ended before it served.
    void failed(int code);

  private:
    void report(int code);

    ServerFd promise_; // to the first process: one int
    bool serves_ = false;
};

} // namespace cppcorn

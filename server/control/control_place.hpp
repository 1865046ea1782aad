// Where a client of the control socket finds it: by its own command line, else by the settings of the server.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace cppcorn {

// What stands behind `cppcorn ctl` or `cppcorn top`.
struct ClientLine {
    std::string control_socket;        // "" if it was not given
    std::vector<std::string> settings; // "--config FILE" and "--chdir DIRECTORY", as they were given
    std::vector<std::string> words;    // all the rest, in order
};

// Throws UsageError for a flag without its value.
ClientLine parse_client_line(const std::vector<std::string>& arguments);

// No --control-socket is set. what() is one line.
class NoControlSocket : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The socket's path. The settings are read only if the line does not say it. Throws NoControlSocket, and SettingsError or
// UsageError for settings that cannot be read.
std::string find_control_socket(const ClientLine& line);

} // namespace cppcorn

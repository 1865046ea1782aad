// How this process was started: its arguments, environment and directory, as they were before anything changed them. A
// reload reads the settings there again, and a new binary (SIGUSR2) is started just so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/server_fd.hpp"
#include "server/settings/settings_loader.hpp"

namespace cppcorn {

class StartContext {
  public:
    // Made first of all in main. Throws std::system_error.
    StartContext(int argc, char** argv);

    // The directory under the name that it was entered by, so that a link that has been moved since (current ->
    // releases/8) is followed; if that name is gone, the directory itself. Throws std::system_error.
    void enter_directory() const;
    // The directory's descriptor. For a child that is to enter it.
    int directory_fd() const { return directory_.get(); }

    // From the same arguments, in the directory of the start; then goes to --chdir. Throws as load_settings() does, and
    // std::system_error.
    LoadedSettings read_settings() const;

    // Sockets that a service manager has opened for us, to be used in place of --bind.
    void use_binds(std::vector<std::string> binds) { binds_ = std::move(binds); }
    bool has_binds() const { return !binds_.empty(); }

    const std::vector<std::string>& arguments() const { return arguments_; } // with the program's name
    // What starts this program anew: the arguments, or those of the interpreter that hosts it.
    const std::vector<std::string>& command() const;
    const std::vector<std::string>& environment() const { return environment_; }

    mode_t umask() const { return umask_; }

  private:
    const char* variable(std::string_view name) const; // of that environment; null if there is none

    std::vector<std::string> arguments_;
    std::vector<std::string> environment_;
    std::string directory_name_; // $PWD, if that was right, else the kernel's; empty if it has none any more
    ServerFd directory_;
    mode_t umask_ = 0;
    std::vector<std::string> binds_;
};

} // namespace cppcorn

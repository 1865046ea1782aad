// An app, loaded: the shared library and the table of functions that its entry function filled in.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <cppcorn/abi.h>

#include "workers/app/app_spec.hpp"

namespace cppcorn {

// what() is one line for the operator. Exit code 4.
class AppLoadError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Where the module of a spec is: a path as written where MODULE has a "/" or ends in ".so"; else each of app_dirs, of
// the folders of the variable CPPCORN_APP_PATH (`app_path`, colon-separated), and the current folder, with MODULE.so,
// then libMODULE.so in each. Never the system's library path. Throws AppLoadError.
std::string find_app_module(const AppSpec& spec, const std::vector<std::string>& app_dirs, const std::string& app_path);

// Owns the app and its library: the destructor calls the app's `destroy`, then unloads. Move-only. Valid in the process
// that loaded it and in its forks, each of which then owns a copy.
class AppModule {
  public:
    // Checks the file (an ELF shared library for this machine, not a source or a script, a cppcorn module of this ABI,
    // defining that app), loads it and calls the entry function with the spec's arguments. Throws AppLoadError. `host`
    // outlives the module.
    AppModule(const std::string& path, const AppSpec& spec, const cppcorn_host& host);
    AppModule(AppModule&& other) noexcept;
    AppModule& operator=(AppModule&&) = delete;
    ~AppModule();

    const cppcorn_app& app() const { return app_; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    void* library_ = nullptr;
    cppcorn_app app_{};
};

} // namespace cppcorn

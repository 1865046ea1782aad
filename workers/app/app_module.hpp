// An app, loaded: the shared library and the table of functions that its entry function filled in.
#pragma once

#include <string>

#include <cppcorn/abi.h>

#include "workers/app/app_build.hpp"
#include "workers/app/app_load_error.hpp"
#include "workers/app/app_spec.hpp"

namespace cppcorn {

// Owns the app and its library, if there is one: the destructor calls the app's `destroy`, then unloads. Move-only. Valid in the process
// that loaded it and in its forks, each of which then owns a copy.
class AppModule {
  public:
    // Checks the file that the build has (an ELF shared library for this machine, not a source or a script, a cppcorn
    // module of this ABI, defining that app), loads it and calls the entry function with the spec's arguments. Throws
    // AppLoadError. `host` outlives the module.
    AppModule(const AppBuild& build, const AppSpec& spec, const cppcorn_host& host);
    // The library at `path`, used where it is.
    AppModule(const std::string& path, const AppSpec& spec, const cppcorn_host& host);
    // One that is no library: `entry` is part of this program. What it says of its failure is the whole message.
    AppModule(cppcorn_entry_fn entry, const AppSpec& spec, const cppcorn_host& host);
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

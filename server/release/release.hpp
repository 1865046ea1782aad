// All that a reload replaces: the settings and what was opened for them. A new release is made beside the one in use,
// and takes its place only when it is complete.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/mold/mold.hpp"
#include "server/process/identity.hpp"
#include "server/release/listener.hpp"
#include "server/release/start_context.hpp"
#include "server/settings/settings_loader.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/app/app_build.hpp"
#include "workers/app/app_module.hpp"
#include "workers/app/app_spec.hpp"

namespace cppcorn {

struct Release {
    LoadedSettings loaded;
    AppSpec app;
    ServerFd directory;               // the current one when it was made: relative paths start there
    std::optional<Identity> identity; // that the workers and the probe take on
    Listeners listeners;
    Listeners status_listeners; // the status process's
    std::shared_ptr<AccessLog> access_log;
    std::shared_ptr<AppBuild> build;  // what its workers load, from the moment that it is tried; else null
    std::vector<std::string> watched; // the files that its app has asked to be watched, for --reload
    std::shared_ptr<Mold> mold;       // --preload: what its workers are forked from; null while there is none

    const Settings& settings() const { return loaded.values; }
};

// A release of which nothing is opened yet: enough to try the app. Its paths are absolute, from the current directory. As
// root, with another user for the workers, files are opened with a guard from then on. Throws std::exception with one
// line.
std::shared_ptr<Release> prepare_release(LoadedSettings loaded);

// Opens the access log, with the settings' umask. Throws std::exception with one line, also where this process may not
// become who the workers are to be.
void open_logs(Release& release);

// Both kinds.
Listeners all_listeners(const Release& release);

// Listens where the settings say, with their umask; those that are present already are used again. Throws as
// open_listeners() does; the release is as it was then.
void open_listeners(Release& release, const Listeners& present);

// The next release, for a reload: the settings are read again as at the start. `listeners_are_fixed`: another master
// shares the present ones and would not know of a change. Throws std::exception with one line, as above.
std::shared_ptr<Release> open_next_release(const StartContext& start, const Release& current, bool listeners_are_fixed);

// The one of --umask, else the one that the process began with.
void apply_umask(const Settings& settings);

// Back to the release's own directory and umask, whatever the process has now. Throws std::system_error.
void enter(const Release& release);

// For a child that will load the app: the variables of --env.
void apply_environment(const Settings& settings);

// Whether there is a library of the name that the app spec has. In the directory of --chdir.
bool has_library(const Settings& settings);

// Whether the interpreter that hosts this process is to load the app.
bool is_for_interpreter(const Settings& settings);

// Finds the app's module as the settings say. Throws AppLoadError.
std::string app_file(const Release& release);

// The files that are there now become the build that the release runs. In the directory of the release. Throws
// AppLoadError.
void fix_build(Release& release);

// Loads the app: the build of the release or, if it has none yet, the files that are there now. Throws AppLoadError.
AppModule load_app(const Release& release);

} // namespace cppcorn

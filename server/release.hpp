// All that a reload replaces: the settings and what was opened for them. A new release is made beside the one in use,
// and takes its place only when it is complete.
#pragma once

#include <memory>
#include <vector>

#include "server/listener.hpp"
#include "server/settings_loader.hpp"
#include "workers/app_module.hpp"
#include "workers/app_spec.hpp"
#include "workers/log/access_log.hpp"

namespace cppcorn {

struct Release {
    LoadedSettings loaded;
    AppSpec app;
    UniqueFd folder; // the current one when it was made: relative paths start there
    Listeners listeners;
    std::shared_ptr<AccessLog> access_log;
    std::shared_ptr<AppModule> preloaded; // --preload: loaded in the master; else null

    const Settings& settings() const { return loaded.values; }
};

// A release of which nothing is opened yet: enough to try the app.
std::shared_ptr<Release> prepare_release(LoadedSettings loaded);

// Opens what the settings ask for; listeners and a preloaded app of `present` (may be null) are used again. Throws
// std::exception with one line; `present` is as it was then.
std::shared_ptr<Release> open_release(LoadedSettings loaded, const Release* present);

// Back to the release's own folder, wherever the process is. Throws std::system_error.
void enter_folder(const Release& release);

// For a child that will load the app, or the master that preloads it: the variables of --env.
void apply_environment(const Settings& settings);

// Finds and loads the app as the settings say. Throws AppLoadError.
AppModule load_app(const Release& release);

} // namespace cppcorn

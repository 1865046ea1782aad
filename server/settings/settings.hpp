// The settings of one run, as plain values, in parts for those who read them. server/settings/settings_table.cpp says
// what each is called and where it comes from. A reload makes a new set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/log/error_log.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/context/worker_settings.hpp"

namespace cppcorn {

// What loads the app: a library for the server itself, or an interpreter.
enum class BridgeChoice { automatic, none, python };

struct Settings {
    // Config
    std::string config_file; // empty: none was read
    bool check_config = false;
    bool print_config = false;
    std::string import_gunicorn_conf; // a file whose settings are to be printed as ours
    std::string app;                  // the app spec as written: "myapp:app"

    // Socket
    std::vector<std::string> binds; // as written; parsed by server/release/address.hpp
    int backlog = 2048;
    bool reuse_port = false;
    Milliseconds bind_retry{5000}; // for an address that is in use, or not there yet

    // Operating
    std::string status_bind;           // as binds; empty: nothing but the control socket shows the status
    std::string control_socket;        // a path; empty: there is none. Without either, there is no status process
    std::uint64_t ready_max_queue = 0; // connections that wait, above which /ready says no; 0: any number
    Milliseconds ready_max_wait{0};    // the same of how long they wait
    std::string statsd_host;           // as written; parsed by server/release/address.hpp; empty: nobody is told
    std::string statsd_prefix;
    std::string dogstatsd_tags;

    // Workers
    int workers = 1;
    std::string worker_class = "sync";
    int threads = 1; // in each worker: more are refused
    Milliseconds boot_timeout{30'000};
    Milliseconds slow_request{0}; // 0: none is told of
    Milliseconds shutdown_delay{0};
    int reload_surge = 0; // workers more than usual during a reload; 0: no limit
    WorkerSettings worker;

    // Mechanics
    bool preload = false;
    bool reload = false; // when the app's file changes
    std::vector<std::string> reload_extra_files;
    bool daemon = false;
    std::string user;  // name or number; empty: stay who we are
    std::string group; // the same; empty: the user's
    bool initgroups = false;
    std::optional<mode_t> umask; // as inherited without one
    std::string chdir;           // empty: stay
    std::vector<std::string> app_dirs;
    std::vector<std::pair<std::string, std::string>> env;
    BridgeChoice bridge = BridgeChoice::automatic; // a library, if there is one
    std::string python;                            // the interpreter; empty: the one that is found
    std::string pythonpath;                        // directories with commas between
    std::string hooks;                             // "module:object"; empty: none
    std::string pidfile;                           // empty: none
    std::string name;                              // empty: the app spec is used

    FileGuard guard; // for files that a master of root's opens

    // Logging
    ErrorLogOptions error_log;
    AccessLogOptions access_log;

    const std::string& display_name() const { return name.empty() ? app : name; }

    // Once all is read: what parts are told of one another.
    void complete();
};

inline void Settings::complete() {
    worker.name = error_log.program = display_name();
    access_log.stdout_stays = !daemon && !error_log.capture_output;
    worker.measures_durations = !status_bind.empty() || !control_socket.empty() || !statsd_host.empty();
}

} // namespace cppcorn

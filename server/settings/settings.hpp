// The settings of one run, as plain values. The master makes them (server/settings/settings_table.cpp says what each is called
// and where it comes from); the workers only read them. A fork carries them over; a reload makes a new set.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/address_set.hpp"
#include "workers/http/forwarded.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/proxy_protocol.hpp"

namespace cppcorn {

using Milliseconds = std::chrono::milliseconds;

enum class LogLevel { debug, info, warning, error, critical };
enum class HeaderMap { drop, refuse, dangerous };

struct Settings {
    // Config
    std::string config_file; // empty: none was read
    bool check_config = false;
    bool print_config = false;

    // Socket
    std::vector<std::string> binds; // as written; parsed by server/release/address.hpp
    int backlog = 2048;
    bool reuse_port = false;

    // Workers
    int workers = 1;
    std::string worker_class = "sync";
    std::uint64_t max_requests = 0; // 0: no limit
    std::uint64_t max_requests_jitter = 0;
    Milliseconds timeout{30'000}; // 0: off
    Milliseconds boot_timeout{30'000};
    Milliseconds graceful_timeout{30'000};
    Milliseconds keep_alive{95'000}; // 0: close after each response
    int worker_connections = 10'000;
    std::uint64_t max_memory = 0;        // bytes; 0: no limit
    Milliseconds max_worker_lifetime{0}; // 0: no limit
    Milliseconds shutdown_delay{0};
    int reload_surge = 0; // workers more than usual during a reload; 0: no limit

    // Limits
    http::Limits limits;
    std::uint64_t body_buffer =
        64 << 10; // bodies up to this are read before the app is called; of larger ones, this much
    Milliseconds header_timeout{30'000};
    Milliseconds body_timeout{60'000};
    Milliseconds write_timeout{60'000};

    // Mechanics
    std::string app; // the app spec as written: "myapp:app"
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
    std::string pidfile; // empty: none
    std::string name;    // empty: the app spec is used
    bool no_sendfile = false;
    HeaderMap header_map = HeaderMap::drop;

    // Proxies
    AddressSet forwarded_allow_ips{{"127.0.0.1", "::1"}};
    std::vector<http::SchemeHeader> secure_scheme_headers{
        {"X-FORWARDED-PROTOCOL", "ssl"}, {"X-FORWARDED-PROTO", "https"}, {"X-FORWARDED-SSL", "on"}};
    std::vector<std::string> forwarder_headers{"SCRIPT_NAME", "PATH_INFO"};
    std::string root_path; // without a slash at its end
    http::ProxyProtocol proxy_protocol = http::ProxyProtocol::off;
    AddressSet proxy_allow_from{{"127.0.0.1", "::1"}};

    // Logging
    std::string access_log;      // empty: none; "-": stdout
    std::string error_log = "-"; // "-": stderr
    std::string access_log_format = R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s")";
    LogLevel log_level = LogLevel::info;
    bool capture_output = false;
    bool log_syslog = false;
    std::string log_syslog_prefix;
    std::string log_syslog_facility = "user";
    std::string log_syslog_to = "unix:///dev/log";

    bool runs_as_another() const { return !user.empty() || !group.empty(); }
    const std::string& display_name() const { return name.empty() ? app : name; }
};

} // namespace cppcorn

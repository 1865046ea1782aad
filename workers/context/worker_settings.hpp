// The settings that a worker reads, as plain values. The master makes them (server/settings/); a fork carries them over
// and nothing changes them in the worker: a reload makes new workers with new ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address_set.hpp"
#include "base/clock.hpp"
#include "workers/http/forwarded.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/proxy_protocol.hpp"

namespace cppcorn {

enum class HeaderMap { drop, refuse, dangerous };

struct WorkerSettings {
    std::string name; // as titles and apps are told: --name, or the app spec

    // Connections
    int worker_connections = 10'000;
    Milliseconds keep_alive{95'000}; // 0: close after each response
    Milliseconds header_timeout{30'000};
    Milliseconds body_timeout{60'000};
    Milliseconds write_timeout{60'000};
    bool waits_in_app = true; // for its client; else a client that does not keep up is cut off

    // Requests
    Milliseconds timeout{30'000};    // 0: off
    bool measures_durations = false; // to less than a few milliseconds: somebody looks at them
    http::Limits limits;
    std::uint64_t body_buffer = 64 << 10; // bodies up to this are gathered in memory, larger ones in a file
    std::uint64_t min_rate = 1024;        // bytes a second, of a body or a response under way
    std::string spool_dir;                // empty: the system's
    std::uint64_t spool_limit = 1 << 30;  // bytes; 0: nothing is spooled
    HeaderMap header_map = HeaderMap::drop;
    bool no_sendfile = false;

    // Proxies
    AddressSet forwarded_allow_ips{{"127.0.0.1", "::1"}};
    std::vector<http::SchemeHeader> secure_scheme_headers{
        {"X-FORWARDED-PROTOCOL", "ssl"}, {"X-FORWARDED-PROTO", "https"}, {"X-FORWARDED-SSL", "on"}};
    std::vector<std::string> forwarder_headers{"SCRIPT_NAME", "PATH_INFO"};
    std::string root_path; // without a slash at its end
    http::ProxyProtocol proxy_protocol = http::ProxyProtocol::off;
    AddressSet proxy_allow_from{{"127.0.0.1", "::1"}};

    bool no_understudy = false; // nobody goes on with the worker's connections should it die, or while it is busy

    // The worker's end
    Milliseconds graceful_timeout{30'000};
    std::uint64_t max_requests = 0; // 0: no limit
    std::uint64_t max_requests_jitter = 0;
    std::uint64_t max_memory = 0;        // bytes; 0: no limit
    Milliseconds max_worker_lifetime{0}; // 0: no limit
};

} // namespace cppcorn

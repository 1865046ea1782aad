#include "server/settings/rows/workers.hpp"

#include <stdexcept>

#include "server/settings/cpu_count.hpp"
#include "workers/worker_class.hpp"

namespace cppcorn {
namespace {

using Kind = SettingValue::Kind;

constexpr std::uint64_t most_requests = 1'000'000'000;
constexpr std::uint64_t most_connections = 1'000'000;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 50;

SettingValue workers() {
    const auto parse = [](const std::string& text) {
        if (text == "auto") return static_cast<std::uint64_t>(auto_worker_count());
        return parse_whole_number(text, 1, most_workers, ", or 'auto'");
    };
    return single_value(Kind::number, field(&Settings::workers), parse,
                        [](int count) { return std::to_string(count); });
}

SettingValue worker_class() {
    const auto parse = [](const std::string& text) {
        if (find_worker_class(text) != nullptr || text == threaded_worker_class) return text;
        throw std::invalid_argument("'" + text + "' is not supported; the worker classes are: " + worker_class_names());
    };
    return single_value(Kind::text, field(&Settings::worker_class), parse,
                        [](const std::string& text) { return text; });
}

} // namespace

std::vector<Setting> worker_rows() {
    return {
        {.names = {"workers"},
         .short_flag = 'w',
         .value_name = "COUNT|auto",
         .help = "How many worker processes; auto counts cores within the container's CPU and memory limits.",
         .environment = "WEB_CONCURRENCY",
         .value = workers()},
        {.names = {"threads"},
         .value_name = "COUNT",
         .help = "Threads in each worker: 1. A worker does one request at a time; more workers do more.",
         .value = whole_number(&Settings::threads, 1, most_workers)},
        {.names = {"worker-class"},
         .short_flag = 'k',
         .value_name = "CLASS",
         .help = "How a worker runs requests: sync, one at a time.",
         .value = worker_class()},
        {.names = {"max-requests"},
         .value_name = "COUNT",
         .help = "Replace a worker after this many requests; 0: never.",
         .value = whole_number(&WorkerSettings::max_requests, 0, most_requests)},
        {.names = {"max-requests-jitter"},
         .value_name = "COUNT",
         .help = "Add a random number up to this to each worker's --max-requests.",
         .value = whole_number(&WorkerSettings::max_requests_jitter, 0, most_requests)},
        {.names = {"timeout"},
         .short_flag = 't',
         .value_name = "SECONDS",
         .help =
             "Kill a worker whose app takes longer over one request, or that stands still outside of one; 0: never.",
         .value = seconds(&WorkerSettings::timeout)},
        {.names = {"slow-request"},
         .value_name = "SECONDS",
         .help = "Log a request that runs for this long, and where the app is, once while it runs; 0: never.",
         .value = seconds(&Settings::slow_request)},
        {.names = {"boot-timeout"},
         .value_name = "SECONDS",
         .help = "Kill a worker that takes longer to load its app; 0: never.",
         .value = seconds(&Settings::boot_timeout)},
        {.names = {"graceful-timeout"},
         .value_name = "SECONDS",
         .help = "How long a stopping worker may take to finish what it has begun.",
         .value = seconds(&WorkerSettings::graceful_timeout)},
        {.names = {"keep-alive"},
         .file_names = {"keepalive"},
         .value_name = "SECONDS",
         .help = "How long an idle connection is kept for its next request; 0: close after each response.",
         .value = seconds(&WorkerSettings::keep_alive)},
        {.names = {"worker-connections"},
         .value_name = "COUNT",
         .help = "How many connections one worker holds at most.",
         .value = whole_number(&WorkerSettings::worker_connections, 1, most_connections)},
        {.names = {"no-understudy"},
         .help = "Start no processes that go on with a worker's connections when it dies or is busy.",
         .value = on_off(&WorkerSettings::no_understudy)},
        {.names = {"max-memory"},
         .value_name = "BYTES",
         .help = "Replace a worker after a request that leaves more resident memory (512M, 2G); 0: never.",
         .value = byte_count(&WorkerSettings::max_memory, 0, most_bytes)},
        {.names = {"max-worker-lifetime"},
         .value_name = "SECONDS",
         .help = "Replace a worker that has served for this long; 0: never.",
         .value = seconds(&WorkerSettings::max_worker_lifetime)},
        {.names = {"reload-surge"},
         .value_name = "COUNT",
         .help = "How many workers more than usual there may be during a reload, where memory is short; 0: no limit.",
         .value = whole_number(&Settings::reload_surge, 0, most_workers)},
        {.names = {"shutdown-delay"},
         .value_name = "SECONDS",
         .help = "After SIGTERM, serve on for this long first, while a load balancer may still send requests.",
         .value = seconds(&Settings::shutdown_delay)},
    };
}

} // namespace cppcorn

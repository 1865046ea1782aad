#include "server/settings/settings_table.hpp"

#include <stdexcept>

#include "base/log/syslog_facility.hpp"
#include "server/release/address.hpp"
#include "server/settings/cpu_count.hpp"
#include "server/settings/rows/rows.hpp"

namespace cppcorn {
namespace {

using Group = Setting::Group;
using Scope = Setting::Scope;
using Kind = SettingValue::Kind;
using Texts = SettingValue::Texts;

constexpr std::uint64_t most_workers = 500;
constexpr std::uint64_t most_requests = 1'000'000'000;
constexpr std::uint64_t most_connections = 1'000'000;
constexpr std::uint64_t most_fields = 32'768;
constexpr std::uint64_t largest_head = 16 << 20;
constexpr std::uint64_t largest_body_buffer = 64 << 20;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 50;

SettingValue binds() {
    return {Kind::list,
            [](Settings& settings, const Texts& texts) {
                if (texts.empty()) throw std::invalid_argument("needs at least one address, such as 127.0.0.1:8000");
                for (const auto& text : texts) parse_bind(text);
                settings.binds = texts;
            },
            [](const Settings& settings) { return settings.binds; }};
}

SettingValue workers() {
    const auto parse = [](const std::string& text) {
        if (text == "auto") return static_cast<std::uint64_t>(auto_worker_count());
        return parse_whole_number(text, 1, most_workers, ", or 'auto'");
    };
    return single_value(Kind::number, field(&Settings::workers), parse,
                        [](int count) { return std::to_string(count); });
}

// A text for which one value is possible so far.
template <class Part>
SettingValue only(std::string Part::*member, const char* allowed, const char* refusal) {
    const auto parse = [=](const std::string& text) {
        if (text != allowed) throw std::invalid_argument("'" + text + "' " + refusal);
        return text;
    };
    return single_value(Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

SettingValue syslog_facility() {
    const std::vector<std::string> names = syslog_facility_names();
    return single_value(
        Kind::text, field(&ErrorLogOptions::syslog_facility),
        [=](const std::string& text) { return names[parse_choice(text, names)]; },
        [](const std::string& text) { return text; });
}

std::vector<Setting> config_rows() {
    return {
        {.names = {"app"},
         .file_names = {"wsgi_app"},
         .value_name = "APP",
         .help = "The app, as MODULE[:NAME[(ARGS)]]: myapp is the app named app in myapp.so.",
         .value = text(&Settings::app)},
        {.names = {"config"},
         .short_flag = 'c',
         .scope = Scope::command_line,
         .value_name = "PATH",
         .help = "The configuration file; without it, ./cppcorn.toml is read if it exists.",
         .value = text(&Settings::config_file)},
        {.names = {"check-config"},
         .scope = Scope::command_line,
         .help = "Check the settings and that the app can be loaded, then exit.",
         .value = on_off(&Settings::check_config)},
        {.names = {"print-config"},
         .scope = Scope::command_line,
         .help = "Print each setting with its value and where it came from, then exit.",
         .value = on_off(&Settings::print_config)},
        {.names = {"version"}, .short_flag = 'v', .scope = Scope::command_line, .help = "Print the version and exit."},
        {.names = {"help"}, .short_flag = 'h', .scope = Scope::command_line, .help = "Print this help and exit."},
    };
}

std::vector<Setting> socket_rows() {
    return {
        {.names = {"bind"},
         .short_flag = 'b',
         .value_name = "ADDRESS",
         .help = "Where to listen: HOST, HOST:PORT, :PORT, [V6]:PORT, unix:PATH or fd://N; may be repeated.",
         .environment = "PORT",
         .environment_prefix = "0.0.0.0:",
         .value = binds()},
        {.names = {"backlog"},
         .value_name = "COUNT",
         .help = "How many connections may wait for a worker to accept them.",
         .value = whole_number(&Settings::backlog, 1, most_connections)},
        {.names = {"reuse-port"},
         .help = "Set SO_REUSEPORT, so that another process may listen on the same port.",
         .value = on_off(&Settings::reuse_port)},
    };
}

std::vector<Setting> worker_rows() {
    return {
        {.names = {"workers"},
         .short_flag = 'w',
         .value_name = "COUNT|auto",
         .help = "How many worker processes; auto counts cores within the container's CPU and memory limits.",
         .environment = "WEB_CONCURRENCY",
         .value = workers()},
        {.names = {"worker-class"},
         .short_flag = 'k',
         .value_name = "CLASS",
         .help = "How a worker runs requests: sync, one at a time.",
         .value = only(&Settings::worker_class, "sync", "is not supported; the worker classes are: sync")},
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
         .help = "Kill a worker whose app takes longer over one request; 0: never.",
         .value = seconds(&WorkerSettings::timeout)},
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

std::vector<Setting> limit_rows() {
    return {
        {.names = {"limit-request-line"},
         .value_name = "BYTES",
         .help = "The longest request line; 0: as long as --limit-request-head.",
         .value = byte_count(&http::Limits::request_line, 0, largest_head)},
        {.names = {"limit-request-fields"},
         .value_name = "COUNT",
         .help = "How many header fields a request may have; 0: 32768.",
         .value = whole_number(&http::Limits::fields, 0, most_fields)},
        {.names = {"limit-request-field_size"},
         .value_name = "BYTES",
         .help = "The longest header field, name and value; 0: as long as --limit-request-head.",
         .value = byte_count(&http::Limits::field_size, 0, largest_head)},
        {.names = {"limit-request-head"},
         .value_name = "BYTES",
         .help = "The longest request line and header fields together.",
         .value = byte_count(&http::Limits::head, 1024, largest_head)},
        {.names = {"limit-request-body"},
         .value_name = "BYTES",
         .help = "The longest request body; 0: no limit.",
         .value = byte_count(&http::Limits::body, 0, most_bytes)},
        {.names = {"body-buffer"},
         .value_name = "BYTES",
         .help = "Read bodies up to this size before the app is called; of larger ones, this much.",
         .value = byte_count(&WorkerSettings::body_buffer, 0, largest_body_buffer)},
        {.names = {"header-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may take to send a request's head; 0: for ever.",
         .value = seconds(&WorkerSettings::header_timeout)},
        {.names = {"body-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may pause while it sends a request's body; 0: for ever.",
         .value = seconds(&WorkerSettings::body_timeout)},
        {.names = {"write-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may pause while it reads a response; 0: for ever.",
         .value = seconds(&WorkerSettings::write_timeout)},
    };
}

std::vector<Setting> logging_rows() {
    return {
        {.names = {"access-logfile"},
         .file_names = {"accesslog"},
         .value_name = "PATH",
         .help = "Where the access log goes; - is stdout.",
         .value = text(&AccessLogOptions::path)},
        {.names = {"log-file", "error-logfile"},
         .file_names = {"errorlog"},
         .value_name = "PATH",
         .help = "Where the error log goes; - is stderr.",
         .value = text(&ErrorLogOptions::path)},
        {.names = {"access-logformat"},
         .file_names = {"access_log_format"},
         .value_name = "FORMAT",
         .help = "How a line of the access log looks: gunicorn's %(x)s atoms, or the ready formats json or logfmt.",
         .value = text(&AccessLogOptions::format)},
        {.names = {"log-level"},
         .file_names = {"loglevel"},
         .value_name = "LEVEL",
         .help = "The least level that the error log keeps: debug, info, warning, error or critical.",
         .value = choice(&ErrorLogOptions::level, log_level_names())},
        {.names = {"capture-output"},
         .help = "Send what the app writes to stdout and stderr to the error log.",
         .value = on_off(&ErrorLogOptions::capture_output)},
        {.names = {"log-syslog"},
         .file_names = {"syslog"},
         .help = "Send the logs to syslog as well.",
         .value = on_off(&ErrorLogOptions::syslog)},
        {.names = {"log-syslog-to"},
         .file_names = {"syslog_addr"},
         .value_name = "ADDRESS",
         .help = "Where syslog listens; only unix:///dev/log so far.",
         .value =
             only(&ErrorLogOptions::syslog_to, "unix:///dev/log", "is not supported yet; allowed: unix:///dev/log")},
        {.names = {"log-syslog-prefix"},
         .file_names = {"syslog_prefix"},
         .value_name = "NAME",
         .help = "What syslog lines begin with.",
         .value = text(&ErrorLogOptions::syslog_prefix)},
        {.names = {"log-syslog-facility"},
         .file_names = {"syslog_facility"},
         .value_name = "FACILITY",
         .help = "The facility of syslog lines: user, daemon, local0 and so on.",
         .value = syslog_facility()},
    };
}

} // namespace

const std::vector<Setting>& settings_table() {
    static const std::vector<Setting> table = [] {
        std::vector<Setting> rows;
        const auto add = [&rows](Group group, std::vector<Setting> part) {
            for (auto& row : part) row.group = group;
            rows.insert(rows.end(), part.begin(), part.end());
        };
        add(Group::config, config_rows());
        add(Group::socket, socket_rows());
        add(Group::workers, worker_rows());
        add(Group::limits, limit_rows());
        add(Group::mechanics, mechanics_rows());
        add(Group::proxies, proxy_rows());
        add(Group::logging, logging_rows());
        return rows;
    }();
    return table;
}

const char* group_title(Setting::Group group) {
    static const char* const titles[] = {"Config", "Socket", "Workers", "Limits", "Mechanics", "Proxies", "Logging"};
    return titles[static_cast<std::size_t>(group)];
}

const Setting* find_setting(std::string_view name) {
    const std::string wanted = normalized_name(name);
    for (const auto& setting : settings_table()) {
        for (const auto& each : setting.names) {
            if (normalized_name(each) == wanted) return &setting;
        }
        for (const auto& each : setting.file_names) {
            if (each == wanted) return &setting;
        }
    }
    return nullptr;
}

} // namespace cppcorn

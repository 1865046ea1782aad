#include "server/settings/rows/operating.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "server/release/address.hpp"

namespace cppcorn {
namespace {

constexpr std::uint64_t most_waiting = 1'000'000;
constexpr std::size_t longest_part = 500;

SettingValue address(std::string Settings::*member) {
    const auto parse = [](const std::string& text) {
        if (!text.empty() && parse_bind(text).kind == BindAddress::Kind::inherited_fd) {
            throw std::invalid_argument("'" + text +
                                        "' is no address: HOST:PORT, :PORT, [V6]:PORT, unix:PATH or unix:@NAME");
        }
        return text;
    };
    return single_value(SettingValue::Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

SettingValue statsd_address() {
    const auto parse = [](const std::string& text) {
        if (!text.empty()) parse_statsd(text);
        return text;
    };
    return single_value(SettingValue::Kind::text, field(&Settings::statsd_host), parse,
                        [](const std::string& text) { return text; });
}

// A part of each line that statsd is sent, which `ends` would end; so would space and what is not printable.
SettingValue part_of_line(std::string Settings::*member, const char* ends) {
    const auto parse = [=](const std::string& text) {
        const auto ends_it = [=](char c) {
            return c <= ' ' || c > '~' || std::string_view(ends).find(c) != std::string_view::npos;
        };
        if (text.size() > longest_part || std::any_of(text.begin(), text.end(), ends_it)) {
            throw std::invalid_argument(
                fmt::format("'{}' is no part of a metric; allowed: up to {} printable characters "
                            "of ASCII but space and {}",
                            text, longest_part, ends));
        }
        return text;
    };
    return single_value(SettingValue::Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

SettingValue socket_path(std::string Settings::*member) {
    const auto parse = [](const std::string& text) {
        if (text.starts_with('@') || text.find("://") != std::string::npos || text.starts_with("unix:")) {
            throw std::invalid_argument("'" + text + "' is no path: /run/myapp/control.sock, or control.sock");
        }
        if (!text.empty()) parse_bind("unix:" + text);
        return text;
    };
    return single_value(SettingValue::Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

} // namespace

std::vector<Setting> operating_rows() {
    return {
        {.names = {"status-bind"},
         .value_name = "ADDRESS",
         .help = "Where a process of its own answers /live, /ready, /metrics, /status.json and a page for people, also "
                 "while all workers are busy; as --bind, best 127.0.0.1:PORT or unix:PATH.",
         .value = address(&Settings::status_bind)},
        {.names = {"control-socket"},
         .value_name = "PATH",
         .help = "A unix socket by which cppcorn ctl steers the service, for root and the user of the master; what "
                 "--status-bind answers is answered there, too.",
         .value = socket_path(&Settings::control_socket)},
        {.names = {"ready-max-queue"},
         .value_name = "COUNT",
         .help =
             "With more connections than that waiting for a worker, /ready answers 503; 0: with any number it is fine.",
         .value = whole_number(&Settings::ready_max_queue, 0, most_waiting)},
        {.names = {"ready-max-wait"},
         .value_name = "SECONDS",
         .help = "The same where they wait longer than that, as is estimated from the queue and how fast it is taken; "
                 "0: not.",
         .value = seconds(&Settings::ready_max_wait)},
        {.names = {"statsd-host"},
         .value_name = "ADDRESS",
         .help = "Where statsd is told once a second what the service does, by gunicorn's names: HOST:PORT (UDP) or "
                 "unix:PATH.",
         .value = statsd_address()},
        {.names = {"statsd-prefix"},
         .value_name = "PREFIX",
         .help = "What stands in front of these names, with a dot between.",
         .value = part_of_line(&Settings::statsd_prefix, ":|@")},
        {.names = {"dogstatsd-tags"},
         .value_name = "TAGS",
         .help = "Tags for DogStatsD, in each metric: env:prod,zone:b.",
         .value = part_of_line(&Settings::dogstatsd_tags, "|")},
    };
}

} // namespace cppcorn

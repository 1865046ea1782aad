#include "server/settings/rows/socket.hpp"

#include <stdexcept>

#include "server/release/address.hpp"

namespace cppcorn {
namespace {

using Kind = SettingValue::Kind;
using Texts = SettingValue::Texts;

constexpr std::uint64_t most_connections = 1'000'000;

SettingValue binds() {
    return {Kind::list,
            [](Settings& settings, const Texts& texts) {
                if (texts.empty()) throw std::invalid_argument("needs at least one address, such as 127.0.0.1:8000");
                for (const auto& text : texts) parse_bind(text);
                settings.binds = texts;
            },
            [](const Settings& settings) { return settings.binds; }};
}

} // namespace

std::vector<Setting> socket_rows() {
    return {
        {.names = {"bind"},
         .short_flag = 'b',
         .value_name = "ADDRESS",
         .help = "Where to listen: HOST, HOST:PORT, :PORT, [V6]:PORT, unix:PATH, unix:@NAME (abstract) or fd://N; may "
                 "be repeated.",
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
        {.names = {"bind-retry"},
         .value_name = "SECONDS",
         .help = "How long to retry an address that is in use, not there yet, or a name that does not resolve; 0: not.",
         .value = seconds(&Settings::bind_retry)},
    };
}

} // namespace cppcorn

#include "server/settings/rows/proxies.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/text.hpp"
#include "workers/http/text.hpp"

namespace cppcorn {
namespace {

using Kind = SettingValue::Kind;
using Texts = SettingValue::Texts;

SettingValue addresses(AddressSet WorkerSettings::*member) {
    return {Kind::list, [=](Settings& settings, const Texts& texts) { settings.worker.*member = AddressSet(texts); },
            [=](const Settings& settings) { return (settings.worker.*member).texts(); }};
}

http::SchemeHeader parse_scheme_header(const std::string& text) {
    const std::string_view whole = text;
    const std::size_t colon = whole.find(':');
    const std::string_view name = trim(whole.substr(0, colon));
    const std::string_view value = colon == std::string_view::npos ? std::string_view() : trim(whole.substr(colon + 1));
    if (!http::is_token(name) || value.empty() || http::has_control(value)) {
        throw std::invalid_argument("'" + text +
                                    "' is no header with a value; allowed: NAME: VALUE, such as "
                                    "X-FORWARDED-PROTO: https");
    }
    return {std::string(name), std::string(value)};
}

SettingValue scheme_headers() {
    return {Kind::list,
            [](Settings& settings, const Texts& texts) {
                std::vector<http::SchemeHeader> headers;
                for (const auto& text : split_elements(texts)) headers.push_back(parse_scheme_header(text));
                settings.worker.secure_scheme_headers = std::move(headers);
            },
            [](const Settings& settings) {
                Texts texts;
                for (const auto& header : settings.worker.secure_scheme_headers)
                    texts.push_back(header.name + ": " + header.value);
                return texts;
            }};
}

SettingValue header_names(std::vector<std::string> WorkerSettings::*member) {
    return {Kind::list,
            [=](Settings& settings, const Texts& texts) {
                std::vector<std::string> names = split_elements(texts);
                for (const auto& name : names) {
                    if (http::is_token(name)) continue;
                    throw std::invalid_argument("'" + name + "' is no header name; allowed: names, or * for all");
                }
                settings.worker.*member = std::move(names);
            },
            [=](const Settings& settings) { return settings.worker.*member; }};
}

std::string parse_root_path(const std::string& text) {
    std::string path = text;
    while (!path.empty() && path.back() == '/') path.pop_back();
    const bool is_odd = std::any_of(path.begin(), path.end(), [](char c) { return http::is_control(c) || c == '\t'; });
    if (is_odd || (!path.empty() && path.front() != '/')) {
        throw std::invalid_argument("'" + text + "' is no path; allowed: a path that begins with /, such as /shop");
    }
    return path;
}

SettingValue path(std::string WorkerSettings::*member) {
    return single_value(Kind::text, field(member), parse_root_path, [](const std::string& text) { return text; });
}

// gunicorn's true and false are understood as well.
SettingValue proxy_protocol() {
    const std::vector<std::string> names{"off", "v1", "v2", "auto"};
    const auto parse = [=](const std::string& text) {
        return parse_choice(text == "true" ? "auto" : text == "false" ? "off" : text, names);
    };
    return single_value(Kind::text, field(&WorkerSettings::proxy_protocol), parse,
                        [=](http::ProxyProtocol protocol) { return names.at(static_cast<std::size_t>(protocol)); });
}

} // namespace

std::vector<Setting> proxy_rows() {
    return {
        {.names = {"forwarded-allow-ips"},
         .value_name = "ADDRESSES",
         .help = "Whose X-Forwarded-* and other headers of a proxy are believed: addresses, networks or * for all; "
                 "from others they are taken out. Peers on unix sockets are trusted.",
         .environment = "FORWARDED_ALLOW_IPS",
         .value = addresses(&WorkerSettings::forwarded_allow_ips)},
        {.names = {"secure-scheme-headers"},
         .value_name = "HEADERS",
         .help = "Which headers of a trusted proxy, with which value, say that the client came by https.",
         .value = scheme_headers()},
        {.names = {"forwarder-headers"},
         .value_name = "NAMES",
         .help = "Which names with an underscore a trusted proxy may use in spite of --header-map; * for all.",
         .value = header_names(&WorkerSettings::forwarder_headers)},
        {.names = {"root-path"},
         .value_name = "PATH",
         .help = "Where the app is mounted: its SCRIPT_NAME, which paths are told without.",
         .environment = "SCRIPT_NAME",
         .value = path(&WorkerSettings::root_path)},
        {.names = {"proxy-protocol"},
         .value_name = "[off|v1|v2|auto]",
         .bare_value = "auto",
         .help = "Which PROXY protocol header a proxy sends before its first request; auto: either, or none. The flag "
                 "alone means auto.",
         .value = proxy_protocol()},
        {.names = {"proxy-allow-from"},
         .file_names = {"proxy_allow_ips"},
         .value_name = "ADDRESSES",
         .help = "Who may, and with v1 or v2 must, send that header: addresses, networks or * for all; peers on unix "
                 "sockets as well.",
         .value = addresses(&WorkerSettings::proxy_allow_from)},
    };
}

} // namespace cppcorn

#include "server/settings/rows/refused.hpp"

#include "server/settings/setting.hpp"

namespace cppcorn {
namespace {

constexpr const char* not_yet = "is not supported yet";
constexpr const char* python_only = "has no meaning here: it is about Python";

} // namespace

const std::vector<RefusedSetting>& refused_settings() {
    static const std::vector<RefusedSetting> table{
        {{"threads"}, 0, not_yet},
        {{"reload-engine"}, 0, "has no meaning here: the kernel tells of changes (inotify)"},
        {{"certfile"}, 0, not_yet},
        {{"keyfile"}, 0, not_yet},
        {{"ca-certs"}, 0, not_yet},
        {{"cert-reqs"}, 0, not_yet},
        {{"ciphers"}, 0, not_yet},
        {{"ssl-version"}, 0, not_yet},
        {{"statsd-host"}, 0, not_yet},
        {{"statsd-prefix"}, 0, not_yet},
        {{"dogstatsd-tags"}, 0, not_yet},
        {{"sendfile"}, 0, "is written the other way round here: no_sendfile = true"},
        {{"pythonpath"}, 0, "is about Python; use --app-dir for the directories to find the app in"},
        {{"worker-tmp-dir"}, 0, "has no meaning here: workers report through shared memory, not through files"},
        {{"enable-stdio-inheritance"}, 'R', "has no meaning here: the app's output is never held back"},
        {{"disable-redirect-access-to-syslog"}, 0, "has no meaning here: --log-syslog takes both logs"},
        {{"paste", "paster"}, 0, python_only},
        {{"paste-global"}, 0, python_only},
        {{"spew"}, 0, python_only},
        {{"logger-class"}, 0, python_only},
        {{"log-config", "logconfig"}, 0, python_only},
        {{"log-config-json", "logconfig-json", "logconfig-dict"}, 0, python_only},
        {{"permit-obsolete-folding"}, 0, "is refused: it would let requests be smuggled"},
        {{"strip-header-spaces"}, 0, "is refused: it would let requests be smuggled"},
        {{"permit-unconventional-http-version"}, 0, not_yet},
        {{"casefold-http-method"}, 0, not_yet},
    };
    return table;
}

std::optional<std::string> refusal_of(std::string_view name) {
    const std::string wanted = normalized_name(name);
    for (const auto& refused : refused_settings()) {
        if (name.size() == 1 && name.front() == refused.short_flag) return refused.why;
        for (const auto& each : refused.names) {
            if (normalized_name(each) == wanted) return refused.why;
        }
    }
    return {};
}

} // namespace cppcorn

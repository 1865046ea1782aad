#include "server/settings/rows/refused.hpp"

#include "server/settings/setting.hpp"

namespace cppcorn {
namespace {

constexpr const char* not_yet = "is not supported yet";
constexpr const char* python_only = "is not supported: the app's own code can do that";

} // namespace

const std::vector<RefusedSetting>& refused_settings() {
    static const std::vector<RefusedSetting> table{
        {{"reload-engine"}, 0, "has no meaning here: the kernel tells of changes (inotify)"},
        {{"tmp-upload-dir"}, 0, "has no meaning here: bodies are not kept in files"},
        {{"enable-backlog-metric"}, 0, not_yet},
        {{"default-proc-name"}, 0, "has no meaning here: without --name, processes are called as the app"},
        {{"on-starting", "on-reload", "when-ready", "pre-fork", "pre-exec", "child-exit", "nworkers-changed",
          "on-exit"},
         0,
         "is of the master, which runs no code of the app's"},
        {{"post-fork", "post-worker-init", "worker-int", "worker-abort", "pre-request", "post-request", "worker-exit"},
         0,
         "is a function: put it into a module, and name that with --hooks MODULE"},
        {{"protocol"}, 0, "has no meaning here: HTTP is what is spoken"},
        {{"uwsgi-allow-ips", "uwsgi-allow-from"}, 0, "has no meaning here: HTTP is what is spoken"},
        {{"http-protocols", "http2-cleartext", "http2-max-concurrent-streams", "http2-initial-window-size",
          "http2-max-frame-size", "http2-max-header-list-size"},
         0,
         "is not supported: HTTP/2 is for the proxy in front"},
        {{"asgi-loop", "asgi-lifespan", "asgi-disconnect-grace-period", "websocket-max-message-size"},
         0,
         "is about ASGI; cppcorn serves WSGI apps"},
        {{"http-parser"}, 0, "has no meaning here: there is one"},
        {{"dirty-apps", "dirty-app", "dirty-workers", "dirty-timeout", "dirty-threads", "dirty-graceful-timeout",
          "on-dirty-starting", "dirty-post-fork", "dirty-worker-init", "dirty-worker-exit"},
         0,
         "is not supported: what takes long is better done by a queue's workers"},
        {{"control-socket-mode"}, 0, "has no meaning here: the socket is for root and the user of the master"},
        {{"control-socket-disable", "no-control-socket"},
         0,
         "has no meaning here: there is no control socket without --control-socket"},
        {{"ssl-context", "suppress-ragged-eofs", "do-handshake-on-connect"}, 0, not_yet},
        {{"certfile"}, 0, not_yet},
        {{"keyfile"}, 0, not_yet},
        {{"ca-certs"}, 0, not_yet},
        {{"cert-reqs"}, 0, not_yet},
        {{"ciphers"}, 0, not_yet},
        {{"ssl-version"}, 0, not_yet},
        {{"sendfile"}, 0, "is written the other way round here: no_sendfile = true"},
        {{"worker-tmp-dir"}, 0, "has no meaning here: workers report through shared memory, not through files"},
        {{"enable-stdio-inheritance"}, 'R', "has no meaning here: the app's output is never held back"},
        {{"disable-redirect-access-to-syslog"}, 0, "has no meaning here: --log-syslog takes both logs"},
        {{"paste", "paster"}, 0, python_only},
        {{"paste-global", "raw-paste-global-conf"}, 0, python_only},
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

#include "server/settings/rows/logging.hpp"

#include "base/log/log_level.hpp"
#include "base/log/syslog_facility.hpp"
#include "workers/access_log/access_format.hpp"

namespace cppcorn {
namespace {

using Kind = SettingValue::Kind;

SettingValue syslog_facility() {
    const std::vector<std::string> names = syslog_facility_names();
    return single_value(
        Kind::text, field(&ErrorLogOptions::syslog_facility),
        [=](const std::string& text) { return names[parse_choice(text, names)]; },
        [](const std::string& text) { return text; });
}

SettingValue access_format() {
    const auto parse = [](const std::string& text) {
        const AccessFormat checked(text);
        return text;
    };
    return single_value(Kind::text, field(&AccessLogOptions::format), parse,
                        [](const std::string& text) { return text; });
}

} // namespace

std::vector<Setting> logging_rows() {
    return {
        {.names = {"access-logfile"},
         .file_names = {"accesslog"},
         .value_name = "PATH",
         .help = "Where the access log goes; - and /dev/stdout are stdout, /dev/stderr is stderr.",
         .value = text(&AccessLogOptions::path)},
        {.names = {"log-file", "error-logfile"},
         .file_names = {"errorlog"},
         .value_name = "PATH",
         .help = "Where the error log goes; - and /dev/stderr are stderr, /dev/stdout is stdout.",
         .value = text(&ErrorLogOptions::path)},
        {.names = {"access-logformat"},
         .file_names = {"access_log_format"},
         .value_name = "FORMAT",
         .help =
             "How a line of the access log looks: the ready formats json or logfmt, or text with gunicorn's atoms, "
             "%(x)s "
             "for an x of hlutrmUqHsBbfaTDMLpiQx, {Name}i, {Name}o and {NAME}e. docs/settings.md says what each is.",
         .value = access_format()},
        {.names = {"log-level"},
         .file_names = {"loglevel"},
         .value_name = "LEVEL",
         .help = "The least level that the error log keeps: debug, info, warning, error or critical.",
         .value = choice(&ErrorLogOptions::level, log_level_names())},
        {.names = {"log-format"},
         .value_name = "FORMAT",
         .help = "How a line of the error log looks: text, as gunicorn's, or json, an object a line.",
         .value = choice(&ErrorLogOptions::format, {"text", "json"})},
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

} // namespace cppcorn

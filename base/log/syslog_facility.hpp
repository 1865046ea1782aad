// The facilities of syslog: one table of their names and numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <syslog.h>

namespace cppcorn {

struct SyslogFacility {
    const char* name;
    int number;
};

inline constexpr SyslogFacility syslog_facilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
    {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
    {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},     {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},     {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

// LOG_USER for a name that is none.
constexpr int syslog_facility_number(std::string_view name) {
    for (const auto& facility : syslog_facilities) {
        if (name == facility.name) return facility.number;
    }
    return LOG_USER;
}

inline std::vector<std::string> syslog_facility_names() {
    std::vector<std::string> names;
    for (const auto& facility : syslog_facilities) names.emplace_back(facility.name);
    return names;
}

} // namespace cppcorn

#include "server/settings/settings_table.hpp"

#include "server/settings/rows/config.hpp"
#include "server/settings/rows/limits.hpp"
#include "server/settings/rows/logging.hpp"
#include "server/settings/rows/mechanics.hpp"
#include "server/settings/rows/operating.hpp"
#include "server/settings/rows/proxies.hpp"
#include "server/settings/rows/socket.hpp"
#include "server/settings/rows/workers.hpp"

namespace cppcorn {

using Group = Setting::Group;

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
        add(Group::operating, operating_rows());
        return rows;
    }();
    return table;
}

const char* group_title(Setting::Group group) {
    static const char* const titles[] = {"Config",    "Socket",  "Workers", "Limits",
                                         "Mechanics", "Proxies", "Logging", "Operating"};
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

#include "server/release/bridge_table.hpp"

#include <memory>
#include <new>

#include "base/log/error_log.hpp"
#include "server/process/hosting.hpp"
#include "workers/app/app_spec.hpp"
#include "workers/exchange/host.hpp"

namespace cppcorn {
namespace {

std::vector<std::string>& watched() {
    static std::vector<std::string> paths;
    return paths;
}

int watch(const char* const* paths, std::size_t count) {
    try {
        watched().assign(paths, paths + count);
        return 0;
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

// A table, and what it points to.
struct OfferedTable {
    std::string module;
    std::string call;
    std::string hooks;
    std::vector<std::string> directories;
    std::vector<const char*> directory_pointers;
    cppcorn_bridge table{};
};

std::vector<std::string> directories_of(const Settings& settings) {
    std::vector<std::string> directories;
    std::string_view rest = settings.pythonpath;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        if (comma != 0) directories.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    directories.insert(directories.end(), settings.app_dirs.begin(), settings.app_dirs.end());
    return directories;
}

} // namespace

void offer_bridge_table(const Settings& settings) {
    static std::vector<std::unique_ptr<OfferedTable>> tables;
    const AppSpecParts parts = split_app_spec(settings.app);
    auto offered = std::make_unique<OfferedTable>(OfferedTable{
        std::string(parts.module), std::string(parts.call), settings.hooks, directories_of(settings), {}, {}});
    for (const auto& directory : offered->directories) offered->directory_pointers.push_back(directory.c_str());
    cppcorn_bridge& table = offered->table;
    table.size = sizeof table;
    table.workers = static_cast<std::uint32_t>(settings.workers);
    table.module = offered->module.c_str();
    table.call = offered->call.c_str();
    table.app_dirs = offered->directory_pointers.data();
    table.app_dir_count = offered->directory_pointers.size();
    table.hooks = offered->hooks.c_str();
    table.timeout_ms = static_cast<std::uint32_t>(settings.worker.timeout.count());
    table.error_log = error_log_fd;
    table.watch = watch;
    tables.push_back(std::move(offered));
    offer_bridge(&tables.back()->table);
}

bool is_known_to_interpreter(const Settings& settings) {
    const std::string module(split_app_spec(settings.app).module);
    return hosting()->knows != nullptr && hosting()->knows(module, directories_of(settings));
}

const std::vector<std::string>& watched_by_app() {
    return watched();
}

} // namespace cppcorn

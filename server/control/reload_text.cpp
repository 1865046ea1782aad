#include "server/control/reload_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cppcorn {
namespace {

std::string shown(const std::string& value) {
    return value.empty() ? "none" : value;
}

std::string value_before(const ServiceFacts& before, const std::string& key) {
    const auto found = std::find_if(before.settings.begin(), before.settings.end(),
                                    [&](const ServiceFacts::Setting& setting) { return setting.key == key; });
    return found == before.settings.end() ? "" : found->value;
}

std::string app_line(const ServiceFacts& before, const ServiceFacts& after) {
    const bool is_same = before.app == after.app && before.build == after.build;
    if (is_same) return fmt::format("app: {}, the same build ({})", after.app, shown(after.build));
    if (before.app == after.app) {
        return fmt::format("app: {}, build {}; it was {}", after.app, shown(after.build), shown(before.build));
    }
    return fmt::format("app: {}, build {}; it was {}", after.app, shown(after.build), before.app);
}

} // namespace

std::string reload_text(const ServiceFacts& before, const ServiceFacts& after) {
    std::string text = app_line(before, after);
    bool has_changed = false;
    for (const auto& setting : after.settings) {
        const std::string old = value_before(before, setting.key);
        if (old == setting.value) continue;
        has_changed = true;
        text += fmt::format("\n{}: {}; it was {}", setting.key, shown(setting.value), shown(old));
    }
    return text + (has_changed ? "" : "\nsettings: the same");
}

} // namespace cppcorn

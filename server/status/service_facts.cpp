#include "server/status/service_facts.hpp"

#include <string_view>

#include <cppcorn/abi.h>
#include <fmt/format.h>
#include <unistd.h>

#include "server/release/release.hpp"
#include "server/settings/settings_table.hpp"

namespace cppcorn {
namespace {

// What --env gives the app is its own secret, as a rule.
std::string without_value(const std::string& variable) {
    return variable.substr(0, variable.find('=')) + "=***";
}

std::string shown(const Setting& setting, const Settings& settings) {
    std::string text;
    for (const auto& each : setting.value.show(settings)) {
        text += (text.empty() ? "" : ", ") + (setting.key() == "env" ? without_value(each) : each);
    }
    return text;
}

} // namespace

ServiceFacts facts_of(const Release& release) {
    const Settings& settings = release.settings();
    ServiceFacts facts;
    facts.name = settings.display_name();
    facts.app = settings.app;
    if (release.build) facts.build = release.build->id();
    if (constexpr std::string_view kind = "build id "; facts.build.starts_with(kind)) facts.build.erase(0, kind.size());
    facts.version = CPPCORN_VERSION;
    facts.abi = fmt::format("{}.{}", CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR);
    facts.master = ::getpid();
    facts.limits = {settings.ready_max_queue, settings.ready_max_wait};
    for (const auto& setting : settings_table()) {
        if (!setting.value.show || setting.scope == Setting::Scope::command_line) continue;
        const auto origin = release.loaded.origins.find(setting.key());
        facts.settings.push_back({setting.key(), shown(setting, settings),
                                  origin == release.loaded.origins.end() ? "default" : origin->second});
    }
    return facts;
}

} // namespace cppcorn

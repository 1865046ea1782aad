#include "server/settings/settings_loader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include "base/log/log_file.hpp"
#include "base/unique_fd.hpp"
#include "server/settings/command_line.hpp"
#include "server/settings/config_file.hpp"
#include "server/settings/help.hpp"
#include "server/settings/rows/refused.hpp"
#include "server/settings/settings_table.hpp"
#include "server/settings/shell_words.hpp"
#include "server/settings/spelling.hpp"
#include "workers/app/app_spec.hpp"

namespace cppcorn {
namespace {

constexpr const char* arguments_variable = "CPPCORN_CMD_ARGS";
constexpr const char* usual_file = "cppcorn.toml";
constexpr std::size_t largest_file = 1 << 20;
constexpr std::size_t most_fields = 32'768;

using Given = std::vector<GivenSetting>;

std::string read_file(int fd, const std::string& name) {
    std::string text;
    char part[4096];
    for (;;) {
        const auto size = ::read(fd, part, sizeof part);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) throw SettingsError("cannot read configuration file '" + name + "': " + std::strerror(errno));
        if (size == 0) return text;
        text.append(part, static_cast<std::size_t>(size));
        if (text.size() > largest_file) throw SettingsError(name + ": is larger than 1 MiB");
    }
}

std::optional<std::string> environment_text(const EnvironmentLookup& environment, const char* variable) {
    const char* text = environment(variable);
    if (text == nullptr || text[std::strspn(text, " \t\r\n")] == '\0') return {};
    return text;
}

Given parse_arguments_variable(const EnvironmentLookup& environment) {
    const auto line = environment_text(environment, arguments_variable);
    if (!line) return {};
    try {
        return parse_command_line(split_shell_words(*line));
    } catch (const UsageError& error) {
        throw UsageError(std::string(arguments_variable) + ": " + error.what());
    } catch (const std::invalid_argument& error) {
        throw UsageError(std::string(arguments_variable) + " " + error.what());
    }
}

void answer_information_requests(const Given& given) {
    for (const auto& [setting, texts] : given) {
        if (setting->key() == "help") throw InformationRequest(help_text());
        if (setting->key() == "version") throw InformationRequest("cppcorn " CPPCORN_VERSION "\n");
    }
}

// The file that -c names, the command line's before the variable's.
std::optional<std::string> named_file(const Given& variable, const Given& line) {
    std::optional<std::string> name;
    for (const auto* given : {&variable, &line}) {
        for (const auto& [setting, texts] : *given) {
            if (setting->key() == "config") name = texts.back();
        }
    }
    return name;
}

class Loader {
  public:
    Loader() {
        loaded_.values = default_settings();
        for (const auto& setting : settings_table()) {
            if (setting.value.set) loaded_.origins[setting.key()] = "default";
        }
    }

    void read_environment(const EnvironmentLookup& environment) {
        for (const auto& setting : settings_table()) {
            if (setting.environment == nullptr) continue;
            const auto text = environment_text(environment, setting.environment);
            if (!text) continue;
            const std::string origin = std::string("environment ") + setting.environment;
            apply(setting, {setting.environment_prefix + *text}, origin, origin);
        }
    }

    void read_file_at(const std::string& path, const std::string& name, bool must_exist) {
        const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.is_open()) {
            if (errno == ENOENT && !must_exist) return;
            throw SettingsError("cannot read configuration file '" + name + "': " + std::strerror(errno));
        }
        loaded_.values.config_file = name;
        try {
            std::set<std::string> seen;
            for (const auto& entry : parse_config_file(read_file(file.get(), name))) apply_entry(entry, name, seen);
        } catch (const ConfigFileError& error) {
            throw SettingsError(name + ": " + error.what());
        }
    }

    void apply_given(const Given& given, const std::string& origin) {
        for (const auto& [setting, texts] : given) {
            if (setting->value.set) apply(*setting, texts, origin, origin + ": " + setting->flag());
        }
    }

    LoadedSettings finish() {
        auto& limits = loaded_.values.worker.limits;
        // gunicorn's zero; the parser wants a number, and the head's limit bounds these two anyway.
        if (limits.request_line == 0) limits.request_line = limits.head;
        if (limits.field_size == 0) limits.field_size = limits.head;
        if (limits.fields == 0) limits.fields = most_fields;
        const auto& app = loaded_.values.app;
        if (app.empty()) throw UsageError("no app given: cppcorn MODULE:APP, for example: cppcorn myapp:app");
        try {
            parse_app_spec(app);
        } catch (const AppSpecError& error) {
            throw UsageError(error.what());
        }
        if (loaded_.values.reload && loaded_.values.preload) {
            throw SettingsError(
                "reload: --preload keeps the app in the master, where a reload does not reach it; use one");
        }
        check_daemon();
        loaded_.values.complete();
        return std::move(loaded_);
    }

  private:
    void check_daemon() const {
        const ErrorLogOptions& log = loaded_.values.error_log;
        if (!loaded_.values.daemon || log.syslog || !standard_stream(log.path, STDERR_FILENO)) return;
        throw SettingsError("daemon: needs --log-file PATH or --log-syslog; a daemon has no terminal to log to");
    }

    void apply(const Setting& setting, const std::vector<std::string>& texts, const std::string& origin,
               const std::string& place) {
        try {
            setting.value.set(loaded_.values, texts);
        } catch (const std::invalid_argument& error) {
            throw SettingsError(place + ": " + error.what());
        }
        loaded_.origins[setting.key()] = origin;
    }

    void apply_entry(const ConfigEntry& entry, const std::string& file, std::set<std::string>& seen) {
        const std::string place = file + ": " + entry.key;
        const Setting& setting = find_key(entry.key, place);
        if (!seen.insert(setting.key()).second) throw SettingsError(place + ": is given twice");
        if (entry.is_array && !setting.is_list()) throw SettingsError(place + ": takes one value, not a list");
        apply(setting, entry.texts, file, place);
    }

    static const Setting& find_key(const std::string& key, const std::string& place) {
        if (const auto* setting = find_setting(key)) {
            if (setting->scope == Setting::Scope::everywhere) return *setting;
            throw SettingsError(place + ": belongs on the command line, as " + setting->flag());
        }
        if (const auto why = refusal_of(key)) throw SettingsError(place + ": " + *why);
        const std::string nearest = nearest_key(key);
        if (!nearest.empty()) throw SettingsError(place + ": unknown setting; did you mean " + nearest + "?");
        throw SettingsError(place + ": unknown setting; cppcorn --help shows what there is");
    }

    LoadedSettings loaded_;
};

// What was typed may hold anything; a message is one line.
std::string one_line(std::string message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
    return message;
}

LoadedSettings load(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                    const std::string& starting_directory) {
    const Given line = parse_command_line(arguments);
    answer_information_requests(line);
    const Given variable = parse_arguments_variable(environment);
    answer_information_requests(variable);

    const auto named = named_file(variable, line);
    const std::string name = named.value_or(usual_file);
    const bool is_relative = name.empty() || name.front() != '/';
    const std::string path =
        is_relative && !starting_directory.empty() && !name.empty() ? starting_directory + "/" + name : name;

    Loader loader;
    loader.read_environment(environment);
    loader.read_file_at(path, name, named.has_value());
    loader.apply_given(variable, arguments_variable);
    loader.apply_given(line, "command line");
    return loader.finish();
}

} // namespace

LoadedSettings load_settings(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                             const std::string& starting_directory) {
    try {
        return load(arguments, environment, starting_directory);
    } catch (const SettingsError& error) {
        throw SettingsError(one_line(error.what()));
    } catch (const UsageError& error) {
        throw UsageError(one_line(error.what()));
    }
}

} // namespace cppcorn

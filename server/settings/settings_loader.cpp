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
#include "server/settings/rows/workers.hpp"
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

    // Without an app.
    LoadedSettings finish_for_client() { return std::move(loaded_); }

    LoadedSettings finish() {
        auto& limits = loaded_.values.worker.limits;
        // gunicorn's zero; the parser wants a number, and the head's limit bounds these two anyway.
        if (limits.request_line == 0) limits.request_line = limits.head;
        if (limits.field_size == 0) limits.field_size = limits.head;
        if (limits.fields == 0) limits.fields = most_fields;
        if (!loaded_.values.import_gunicorn_conf.empty()) return std::move(loaded_);
        check_threads();
        const auto& app = loaded_.values.app;
        if (app.empty()) throw UsageError("no app given: cppcorn MODULE:APP, for example: cppcorn myapp:app");
        check_is_no_command(app);
        try {
            parse_app_spec(app);
        } catch (const AppSpecError& error) {
            const bool is_for_bridge = loaded_.values.bridge != BridgeChoice::none && may_be_interpreted(app);
            if (!is_for_bridge) throw UsageError(error.what());
        }
        check_daemon();
        loaded_.values.complete();
        return std::move(loaded_);
    }

  private:
    static void check_is_no_command(const std::string& app) {
        for (const auto* command : {"ctl", "top"}) {
            if (app != command) continue;
            throw UsageError(app + " is a command, and comes first: cppcorn " + app + "; an app of that name is " +
                             app + ":app");
        }
    }

    void check_threads() const {
        const Settings& settings = loaded_.values;
        const bool is_threaded = settings.threads > 1 || settings.worker_class == threaded_worker_class;
        if (!is_threaded) return;
        const std::string key = settings.threads > 1 ? "threads" : "worker_class";
        const std::string flag = settings.threads > 1 ? "--threads" : "--worker-class";
        const std::string text = ": one request at a time in each worker: use --workers " +
                                 std::to_string(settings.workers * settings.threads);
        const std::string& origin = loaded_.origins.at(key);
        if (origin == "command line") throw UsageError(flag + text);
        throw SettingsError(origin + ": " + key + text);
    }

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

enum class Purpose { server, client };

LoadedSettings load(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                    const std::string& starting_directory, Purpose purpose) {
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
    return purpose == Purpose::client ? loader.finish_for_client() : loader.finish();
}

LoadedSettings load_in_one_line(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                                const std::string& starting_directory, Purpose purpose) {
    try {
        return load(arguments, environment, starting_directory, purpose);
    } catch (const SettingsError& error) {
        throw SettingsError(one_line(error.what()));
    } catch (const UsageError& error) {
        throw UsageError(one_line(error.what()));
    }
}

} // namespace

LoadedSettings load_settings(const std::vector<std::string>& arguments, const EnvironmentLookup& environment,
                             const std::string& starting_directory) {
    return load_in_one_line(arguments, environment, starting_directory, Purpose::server);
}

Settings load_settings_of_client(const std::vector<std::string>& arguments, const EnvironmentLookup& environment) {
    return load_in_one_line(arguments, environment, "", Purpose::client).values;
}

} // namespace cppcorn

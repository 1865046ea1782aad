#include "server/settings/rows/mechanics.hpp"

#include <charconv>
#include <stdexcept>

#include "server/process/identity.hpp"

namespace cppcorn {
namespace {

using Kind = SettingValue::Kind;
using Texts = SettingValue::Texts;

SettingValue variables() {
    return {Kind::list,
            [](Settings& settings, const Texts& texts) {
                std::vector<std::pair<std::string, std::string>> variables;
                for (const auto& text : texts) variables.push_back(parse_variable(text));
                settings.env = std::move(variables);
            },
            [](const Settings& settings) {
                Texts texts;
                for (const auto& [name, value] : settings.env) texts.push_back(name + "=" + value);
                return texts;
            }};
}

// A user or a group that there is; empty for none.
template <class Find>
SettingValue account(std::string Settings::*member, Find find, const char* refusal) {
    const auto parse = [=](const std::string& text) {
        if (!text.empty() && !find(text)) throw std::invalid_argument("'" + text + "' " + refusal);
        return text;
    };
    return single_value(Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

std::optional<mode_t> parse_permission_mask(const std::string& text) {
    if (text.empty()) return {};
    const std::size_t begin = text.rfind("0o", 0) == 0 ? 2 : 0;
    mode_t mask = 0;
    const auto result = std::from_chars(text.data() + begin, text.data() + text.size(), mask, 8);
    const bool is_whole = result.ec == std::errc{} && result.ptr == text.data() + text.size();
    if (!is_whole || mask > 0777) throw std::invalid_argument("'" + text + "' is not an octal mode from 0 to 777");
    return mask;
}

std::string show_permission_mask(std::optional<mode_t> mask) {
    if (!mask) return "";
    std::string text = "0";
    for (const int shift : {6, 3, 0}) text += static_cast<char>('0' + (*mask >> shift & 7));
    return text;
}

SettingValue permission_mask() {
    return single_value(Kind::text, field(&Settings::umask), parse_permission_mask, show_permission_mask);
}

} // namespace

std::vector<Setting> mechanics_rows() {
    return {
        {.names = {"preload"},
         .file_names = {"preload_app"},
         .help = "Load the app once, in a process that the workers are forked from (the mold).",
         .value = on_off(&Settings::preload)},
        {.names = {"chdir"},
         .value_name = "PATH",
         .help = "Change to this directory before the app is loaded.",
         .value = text(&Settings::chdir)},
        {.names = {"app-dir"},
         .value_name = "PATH",
         .help = "Look for the app's module in this directory first; may be repeated.",
         .value = text_list(&Settings::app_dirs)},
        {.names = {"bridge"},
         .value_name = "auto|none|python",
         .help = "What loads the app: a library of that name, else Python (auto); libraries only; Python only.",
         .value = choice(&Settings::bridge, {"auto", "none", "python"})},
        {.names = {"python"},
         .value_name = "PATH",
         .help =
             "The interpreter for a Python app; without it $VIRTUAL_ENV's, then that of .venv or venv, then python3.",
         .value = text(&Settings::python)},
        {.names = {"pythonpath"},
         .value_name = "PATHS",
         .help = "Directories where Python looks for modules first, with commas between.",
         .value = text(&Settings::pythonpath)},
        {.names = {"hooks"},
         .value_name = "MODULE:OBJECT",
         .help = "Functions of a Python app's worker, by gunicorn's names: post_fork, pre_request and so on.",
         .value = text(&Settings::hooks)},
        {.names = {"env"},
         .short_flag = 'e',
         .file_names = {"raw_env"},
         .value_name = "NAME=VALUE",
         .help = "Set an environment variable for the app; may be repeated.",
         .value = variables()},
        {.names = {"pid"},
         .short_flag = 'p',
         .file_names = {"pidfile"},
         .value_name = "PATH",
         .help = "Write the master's process id to this file.",
         .value = text(&Settings::pidfile)},
        {.names = {"name"},
         .short_flag = 'n',
         .file_names = {"proc_name"},
         .value_name = "NAME",
         .help = "What ps shows the processes as; without it, the app.",
         .value = text(&Settings::name)},
        {.names = {"reload"},
         .help = "Reload when the app's library changes, as by SIGHUP; for development.",
         .value = on_off(&Settings::reload)},
        {.names = {"reload-extra-file"},
         .file_names = {"reload_extra_files"},
         .value_name = "PATH",
         .help = "With --reload, watch this file as well; may be repeated.",
         .value = text_list(&Settings::reload_extra_files)},
        {.names = {"daemon"},
         .short_flag = 'D',
         .help = "Leave the terminal and go on in the background once a worker serves.",
         .value = on_off(&Settings::daemon)},
        {.names = {"user"},
         .short_flag = 'u',
         .value_name = "USER",
         .help = "Run the workers as this user (a name or a number); needs a start as root.",
         .value = account(&Settings::user, find_user, "is no user on this machine")},
        {.names = {"group"},
         .short_flag = 'g',
         .value_name = "GROUP",
         .help = "Run the workers in this group; without it, in the user's own.",
         .value = account(&Settings::group, find_group, "is no group on this machine")},
        {.names = {"initgroups"},
         .help = "With --user, give the workers all groups that the user is a member of.",
         .value = on_off(&Settings::initgroups)},
        {.names = {"umask"},
         .short_flag = 'm',
         .value_name = "MODE",
         .help = "Which permissions new files and unix sockets do not get, in octal: 027.",
         .value = permission_mask()},
        {.names = {"no-sendfile"},
         .help = "Send files through memory rather than with sendfile().",
         .value = on_off(&WorkerSettings::no_sendfile)},
        {.names = {"header-map"},
         .value_name = "drop|refuse|dangerous",
         .help = "What becomes of header names with an underscore, which could pass for one with a dash.",
         .value = choice(&WorkerSettings::header_map, {"drop", "refuse", "dangerous"})},
        {.names = {"permit-unconventional-http-method"},
         .help = "Let any method reach the app, not only 3 to 20 capitals, digits, - and #. CONNECT never does.",
         .value = on_off(&http::Limits::any_method)},
    };
}

} // namespace cppcorn

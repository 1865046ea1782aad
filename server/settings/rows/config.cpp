#include "server/settings/rows/config.hpp"

namespace cppcorn {
namespace {

using Scope = Setting::Scope;

} // namespace

std::vector<Setting> config_rows() {
    return {
        {.names = {"app"},
         .file_names = {"wsgi_app"},
         .value_name = "APP",
         .help = "The app, as MODULE[:NAME[(ARGS)]]: myapp is the app named app in myapp.so.",
         .value = text(&Settings::app)},
        {.names = {"config"},
         .short_flag = 'c',
         .scope = Scope::command_line,
         .value_name = "PATH",
         .help = "The configuration file; without it, ./cppcorn.toml is read if it exists.",
         .value = text(&Settings::config_file)},
        {.names = {"check-config"},
         .scope = Scope::command_line,
         .help = "Check the settings and that the app can be loaded, then exit.",
         .value = on_off(&Settings::check_config)},
        {.names = {"print-config"},
         .scope = Scope::command_line,
         .help = "Print each setting with its value and where it came from, then exit.",
         .value = on_off(&Settings::print_config)},
        {.names = {"import-gunicorn-conf"},
         .scope = Scope::command_line,
         .value_name = "PATH",
         .help = "Print the settings of a gunicorn.conf.py as a cppcorn.toml, then exit.",
         .value = text(&Settings::import_gunicorn_conf)},
        {.names = {"version"}, .short_flag = 'v', .scope = Scope::command_line, .help = "Print the version and exit."},
        {.names = {"help"}, .short_flag = 'h', .scope = Scope::command_line, .help = "Print this help and exit."},
    };
}

} // namespace cppcorn

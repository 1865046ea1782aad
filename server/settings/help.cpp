#include "server/settings/help.hpp"

#include <sstream>

#include "server/settings/settings_table.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t help_column = 34;
constexpr std::size_t widest_line = 100;

std::string left_side(const Setting& setting) {
    if (setting.is_positional()) return "  " + setting.flag();
    std::string side = setting.short_flag != 0 ? std::string("  -") + setting.short_flag + ", " : "      ";
    for (std::size_t i = 0; i < setting.names.size(); ++i) side += (i == 0 ? "--" : ", --") + setting.names[i];
    return setting.takes_value() ? side + " " + setting.value_name : side;
}

std::string right_side(const Setting& setting) {
    const bool has_default = setting.takes_value() && setting.default_text() != "none";
    return has_default ? std::string(setting.help) + " [" + setting.default_text() + "]" : setting.help;
}

// The words of `text` from `column` on, in as many lines as they need. `line` is what stands in the first one already.
std::string wrapped(std::string line, const std::string& text) {
    std::string lines;
    const auto start_line = [&] {
        lines += line + "\n";
        line.assign(help_column, ' ');
    };
    if (line.size() + 2 > help_column) start_line();
    line.resize(help_column, ' ');
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (line.size() > help_column && line.size() + 1 + word.size() > widest_line) start_line();
        line += (line.size() > help_column ? " " : "") + word;
    }
    return lines + line + "\n";
}

} // namespace

std::string help_text() {
    std::string help =
        "Usage: cppcorn [FLAGS] MODULE[:NAME[(ARGS)]]\n"
        "       cppcorn ctl COMMAND\n"
        "       cppcorn top\n"
        "Serves a native app over HTTP, with a master process that looks after its workers.\n";
    const Setting* previous = nullptr;
    for (const auto& setting : settings_table()) {
        if (previous == nullptr || previous->group != setting.group) {
            help += std::string("\n") + group_title(setting.group) + ":\n";
        }
        help += wrapped(left_side(setting), right_side(setting));
        previous = &setting;
    }
    return help;
}

} // namespace cppcorn

#include "server/control/control_place.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "server/settings/settings_loader.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view socket_flag = "--control-socket";
constexpr std::array<std::string_view, 4> flags_with_value{"-c", "--config", "--chdir", socket_flag};

// "--config=FILE" as two words.
std::vector<std::string> separate_values(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    for (const auto& argument : arguments) {
        const auto equals = argument.starts_with("--") ? argument.find('=') : std::string::npos;
        words.push_back(argument.substr(0, equals));
        if (equals != std::string::npos) words.push_back(argument.substr(equals + 1));
    }
    return words;
}

} // namespace

ClientLine parse_client_line(const std::vector<std::string>& arguments) {
    const std::vector<std::string> words = separate_values(arguments);
    ClientLine line;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (std::find(flags_with_value.begin(), flags_with_value.end(), word) == flags_with_value.end()) {
            line.words.push_back(word);
            continue;
        }
        if (i + 1 == words.size()) throw UsageError(word + " needs a value");
        const std::string& value = words[++i];
        if (word == socket_flag) {
            line.control_socket = value;
        } else {
            line.settings.insert(line.settings.end(), {word, value});
        }
    }
    return line;
}

std::string find_control_socket(const ClientLine& line) {
    if (!line.control_socket.empty()) return line.control_socket;
    const Settings settings =
        load_settings_of_client(line.settings, [](const char* name) { return std::getenv(name); });
    const std::string& path = settings.control_socket;
    if (path.empty()) {
        const std::string& file = settings.config_file;
        throw NoControlSocket(fmt::format("no control socket is set {}: --control-socket PATH",
                                          file.empty() ? "in the environment or on the command line" : "in " + file));
    }
    return settings.chdir.empty() || path.front() == '/' ? path : settings.chdir + "/" + path;
}

} // namespace cppcorn

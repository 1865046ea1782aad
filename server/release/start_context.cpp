#include "server/release/start_context.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "server/process/hosting.hpp"

namespace cppcorn {
namespace {

// The shell's name for the current directory, in which links are not resolved; else the kernel's.
std::string name_of_directory() {
    const char* name = std::getenv("PWD");
    struct stat named {};
    struct stat current {};
    std::error_code error;
    std::string path = std::filesystem::current_path(error).string();
    if (name == nullptr || name[0] != '/' || ::stat(name, &named) != 0 || ::stat(".", &current) != 0) return path;
    return named.st_dev == current.st_dev && named.st_ino == current.st_ino ? name : path;
}

} // namespace

StartContext::StartContext(int argc, char** argv)
    : arguments_(argv, argv + argc),
      directory_name_(name_of_directory()),
      directory_(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the directory .")) {
    umask_ = ::umask(0);
    ::umask(umask_);
    for (char** variable = environ; *variable != nullptr; ++variable) environment_.push_back(*variable);
}

const std::vector<std::string>& StartContext::command() const {
    return hosting() != nullptr ? hosting()->command : arguments_;
}

const char* StartContext::variable(std::string_view name) const {
    for (const std::string_view text : environment_) {
        if (text.substr(0, name.size()) == name && text.substr(name.size(), 1) == "=")
            return text.data() + name.size() + 1;
    }
    return nullptr;
}

void StartContext::enter_directory() const {
    if (!directory_name_.empty() && ::chdir(directory_name_.c_str()) == 0) return;
    check(::fchdir(directory_.get()), "cannot go back to the directory of the start");
}

LoadedSettings StartContext::read_settings() const {
    enter_directory();
    const std::vector<std::string> arguments(arguments_.begin() + 1, arguments_.end());
    LoadedSettings loaded = load_settings(arguments, [this](const char* name) { return variable(name); });
    if (has_binds()) {
        loaded.values.binds = binds_;
        loaded.origins["bind"] = "service manager";
    }
    const std::string& directory = loaded.values.chdir;
    if (!directory.empty()) check(::chdir(directory.c_str()), "cannot change to directory ", directory);
    const bool is_absolute = directory.substr(0, 1) == "/";
    loaded.directory = is_absolute ? directory : directory_name_ + (directory.empty() ? "" : "/" + directory);
    if (!is_absolute && directory_name_.empty()) loaded.directory.clear();
    return loaded;
}

} // namespace cppcorn

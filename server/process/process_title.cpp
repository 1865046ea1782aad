#include "server/process/process_title.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>

#include <sys/prctl.h>
#include <unistd.h>

namespace cppcorn {

namespace {

struct MemoryRange {
    char* begin = nullptr;
    char* end = nullptr;
};

// Where the kernel found the arguments: arg_start and arg_end in proc(5).
MemoryRange memory_of_arguments() {
    constexpr int arg_start = 48;
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text, '\0');
    std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string skipped;
    for (int field = 3; field < arg_start; ++field) fields >> skipped;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (!(fields >> begin >> end) || begin == 0 || end <= begin) return {};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): numbers are how the kernel tells it
    return {reinterpret_cast<char*>(begin), reinterpret_cast<char*>(end)};
}

} // namespace

ProcessTitle::ProcessTitle(int argc, char** argv) {
    if (argc < 1) return;
    memory_ = argv[0];
    char* end = argv[0];
    // The strings of argv and environ lie behind one another; take them for as long as that holds.
    for (int i = 0; i < argc && argv[i] == end; ++i) end += std::strlen(argv[i]) + 1;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (*variable != end) continue;
        end += std::strlen(*variable) + 1;
        *variable = ::strdup(*variable);
    }
    room_ = static_cast<std::size_t>(end - memory_);
}

ProcessTitle ProcessTitle::of_interpreter(const std::vector<std::string>& command) {
    ::prctl(PR_SET_NAME, "cppcorn"); // it was named after the interpreter
    const auto [begin, end] = memory_of_arguments();
    std::vector<char*> argv;
    for (char* at = begin; at < end; at += std::strlen(at) + 1) argv.push_back(at);
    const bool is_as_it_was = argv.size() == command.size() && argv.size() > 1 &&
                              std::equal(argv.begin() + 1, argv.end(), command.begin() + 1);
    return is_as_it_was ? ProcessTitle(static_cast<int>(argv.size()), argv.data()) : ProcessTitle();
}

void ProcessTitle::set(const std::string& title) {
    if (room_ == 0) return;
    std::memset(memory_, 0, room_);
    std::memcpy(memory_, title.data(), std::min(title.size(), room_ - 1));
}

} // namespace cppcorn

#include "server/process/process_title.hpp"

#include <algorithm>
#include <cstring>

#include <unistd.h>

namespace cppcorn {

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

void ProcessTitle::set(const std::string& title) {
    if (room_ == 0) return;
    std::memset(memory_, 0, room_);
    std::memcpy(memory_, title.data(), std::min(title.size(), room_ - 1));
}

} // namespace cppcorn

// What `ps` and `pgrep` show of this process: "cppcorn: master [name]".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cppcorn {

class ProcessTitle {
  public:
    // Takes over the memory of main's argv and of the environment behind it (which is moved away first), because that
    // is where the kernel reads the title. argv must not be used afterwards.
    ProcessTitle(int argc, char** argv);

    // The same of an interpreter's process, whose `command` that is but for its first word; without room for a title
    // where that is not found any more.
    static ProcessTitle of_interpreter(const std::vector<std::string>& command);

    // Cut to the room there is.
    void set(const std::string& title);

  private:
    ProcessTitle() = default;

    char* memory_ = nullptr;
    std::size_t room_ = 0;
};

} // namespace cppcorn

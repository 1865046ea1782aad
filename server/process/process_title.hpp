// What `ps` and `pgrep` show of this process: "cppcorn: master [name]".
#pragma once

#include <cstddef>
#include <string>

namespace cppcorn {

class ProcessTitle {
  public:
    // Takes over the memory of main's argv and of the environment behind it (which is moved away first), because that
    // is where the kernel reads the title. argv must not be used afterwards.
    ProcessTitle(int argc, char** argv);

    // Cut to the room there is.
    void set(const std::string& title);

  private:
    char* memory_ = nullptr;
    std::size_t room_ = 0;
};

} // namespace cppcorn

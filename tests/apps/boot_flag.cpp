// Cannot be loaded while the file that BOOT_FLAG names is there.
#include <cstdlib>
#include <stdexcept>

#include <cppcorn/app.hpp>
#include <unistd.h>

using namespace cppcorn;

class BootFlag {
  public:
    BootFlag() {
        const char* const file = std::getenv("BOOT_FLAG");
        if (file != nullptr && ::access(file, F_OK) == 0) throw std::runtime_error("boot_flag: it is set");
    }

    Response operator()(Request&) { return {200, {}, "ok\n"}; }
};
CPPCORN_APP_CLASS(app, BootFlag)

// The command line that every server of ours in bench/ understands:
//   --port P --workers N --body-size S [--file F]
//   --version                                        (of the library that it is made with)
// and the environment variable SLOW_MS. A mistake in it ends the process with status 2.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

struct Options {
    std::uint16_t port = 8000;
    int workers = 2;
    std::size_t body_size = 14;
    std::string file;     // serve the body from this file; empty: from memory
    unsigned slow_ms = 0; // sleep so long before each answer
};

inline Options parse_options(int count, char** arguments, const char* version = "none") {
    Options options;
    for (int i = 1; i < count; i += 2) {
        const std::string_view name = arguments[i];
        const char* value = i + 1 < count ? arguments[i + 1] : "";
        if (name == "--port") {
            options.port = static_cast<std::uint16_t>(std::strtoul(value, nullptr, 10));
        } else if (name == "--workers") {
            options.workers = static_cast<int>(std::strtol(value, nullptr, 10));
        } else if (name == "--body-size") {
            options.body_size = std::strtoull(value, nullptr, 10);
        } else if (name == "--file") {
            options.file = value;
        } else if (name == "--version") {
            std::puts(version);
            std::exit(0);
        } else {
            std::fprintf(stderr, "usage: %s --port P --workers N --body-size S [--file F]\n", arguments[0]);
            std::exit(2);
        }
    }
    if (const char* slow_ms = std::getenv("SLOW_MS")) {
        options.slow_ms = static_cast<unsigned>(std::strtoul(slow_ms, nullptr, 10));
    }
    return options;
}

} // namespace bench

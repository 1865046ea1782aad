// What the harnesses have in common. A harness takes its choices from the end of the input and its text from the
// beginning, so that a text with a few bytes behind it is a seed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fuzzer/FuzzedDataProvider.h>

namespace fuzz {

// Ends the process as a crash, with what is wrong on stderr.
[[noreturn]] inline void fail(std::string_view what, std::string_view details = "") {
    std::fprintf(stderr, "\n%.*s\n%.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(details.size()),
                 details.data());
    std::abort();
}

inline void require(bool holds, std::string_view what, std::string_view details = "") {
    if (!holds) fail(what, details);
}

} // namespace fuzz

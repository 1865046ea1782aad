// Files for tests of what sends them, and how many descriptors this process has open.
#pragma once

#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

// In memory, with that content.
inline cppcorn::UniqueFd file_of(std::string_view content) {
    cppcorn::UniqueFd file(::memfd_create("test", MFD_CLOEXEC));
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        throw std::runtime_error("cannot make a file for the test");
    return file;
}

inline std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator listing("/proc/self/fd");
    return std::distance(begin(listing), end(listing)) - 1; // the listing has one itself
}

// What is known of a process that has died: from its slot, from the kernel, and from itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/crash_record.hpp"
#include "server/process/identity.hpp"

namespace cppcorn {

struct Death {
    pid_t pid = 0;
    int signal = 0;                       // that it died of
    std::string place;                    // "in a request", "in worker_start", "while loading the app"
    std::string request;                  // the request line, if it served one
    std::string client;                   // whose request that was
    std::chrono::duration<double> age{0}; // of the request
    std::uint64_t served = 0;             // requests before that one
    long peak_kib = 0;                    // the most memory that it had; 0: not known
    std::optional<Identity> identity;     // who it was
    CrashRecord crash{};                  // checked()
};

// Whether it ended by a signal that tells of a fault of its own, or had one before it was killed.
bool is_crash(int wait_status, const CrashRecord& crash);

} // namespace cppcorn

// What is known of a process that has died: from its slot, from the kernel, and from itself. Or of one that lives, and
// whose stack is to be told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/crash_record.hpp"
#include "server/process/identity.hpp"

namespace cppcorn {

struct Death {
    pid_t pid = 0;
    int signal = 0;                                    // that it died of
    std::string place;                                 // "in a request", "in worker_start", "while loading the app"
    std::string request;                               // the request line, if it served one
    std::string request_id;                            // of that request
    std::string client;                                // whose request that was
    std::chrono::duration<double> age{0};              // of the request
    std::uint64_t served = 0;                          // requests before that one
    long peak_kib = 0;                                 // the most memory that it had; 0: not known
    std::optional<Identity> identity;                  // who it was
    CrashRecord crash{};                               // checked()
    std::string headline;                              // of one that lives: what is said above its stack
    std::string stack;                                 // of the same, as take_live_stack() has copied it
    std::function<void(const std::string& text)> tell; // of the same: who has asked for it; empty: the log
};

// Whether it ended by a signal that tells of a fault of its own, or had one before it was killed.
bool is_crash(int wait_status, const CrashRecord& crash);

} // namespace cppcorn

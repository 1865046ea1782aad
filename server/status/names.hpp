// What the outside knows the kinds of things by, in the order of their enumerations.
#pragma once

#include <array>

#include "server/status/view.hpp"

namespace cppcorn {

inline constexpr std::array worker_state_names{"starting", "serving", "retiring", "overdue"};
inline constexpr std::array connection_state_names{"fresh", "idle", "head", "body", "writing", "closing"};
inline constexpr std::array end_cause_names{"retired",       "timeout", "crash", "killed",
                                            "out_of_memory", "grace",   "exit",  "start"};
inline constexpr std::array reload_result_names{"done", "refused", "rolled_back"};
// By the hundreds of the status; "none" is what was cut before it had one.
inline constexpr std::array answer_class_names{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

static_assert(worker_state_names.size() == worker_state_count);
static_assert(connection_state_names.size() == connection_state_count);
static_assert(end_cause_names.size() == end_cause_count);
static_assert(reload_result_names.size() == reload_result_count);
static_assert(answer_class_names.size() == WorkerCounters::class_count);

} // namespace cppcorn

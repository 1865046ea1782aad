// What serves while no worker can: an app of our own that asks clients to come again, served as any other.
#pragma once

#include <cppcorn/abi.h>

#include "workers/context/worker_settings.hpp"

namespace cppcorn {

// Answers each request with 503 and `Retry-After: 5`. Constant.
const cppcorn_app& stand_in_app();

// For it: connections are closed after one answer, and those that send no request before long; nothing is accepted once
// it is told to exit.
WorkerSettings stand_in_settings(WorkerSettings settings);

} // namespace cppcorn

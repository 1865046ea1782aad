// What the kernel says this process has open.
#pragma once

namespace cppcorn {

// Calls `each(context, fd)` for every descriptor that is open, until it answers false. False if /proc does not tell.
// Allocates nothing. Async-signal-safe.
bool for_each_open(bool (*each)(void* context, int fd), void* context);

} // namespace cppcorn

// Whether a connection is a client's, as the kernel knows it, whatever the worker's memory says.
#pragma once

#include "workers/handover/desk.hpp"

namespace cppcorn {

// `epoll`: the worker's. A client's connection is watched there, with the generation of the picture; one that has just
// come is not yet, but it came by one of the listeners that are. Async-signal-safe.
bool is_clients(int epoll, const DeskPicture& picture);

} // namespace cppcorn

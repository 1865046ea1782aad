// Memory that is shared with another process on purpose, and is not to be shared with those that the app forks: what
// such a child writes there would be taken for the worker's, and what the worker goes on to write would change what the
// child looks at. The child gets a copy, at the same addresses, as a fork would have made of other memory.
#pragma once

#include <cstddef>

namespace cppcorn {

// From now on. Of the memory, `used` bytes are copied at a fork, the rest is zero in the child; null: all of it is zero.
// Without room for a copy, or for more than a few of these, the child shares the memory. `used` outlives that.
void keep_from_forks(void* memory, std::size_t size, const std::size_t* used);
// Before the memory is given back.
void forget_in_forks(void* memory);

// For pthread_atfork: before the fork; in the parent; in the child (async-signal-safe).
void copy_for_fork();
void drop_fork_copies();
void take_fork_copies();

} // namespace cppcorn

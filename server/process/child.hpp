// What every child of the master is at first: a copy of it that has to forget most of what it was.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/unique_fd.hpp"
#include "server/process/identity.hpp"

namespace cppcorn {

// The master's ends of the pipes that tie the children to it. A child closes them.
struct MasterPipes {
    UniqueFd notices_read;  // what workers tell (workers/master_link.hpp)
    UniqueFd notices_write; // for the children
    UniqueFd leash_read;    // for the children
    UniqueFd leash_write;   // the master's alone: its end tells the children that the master is gone

    static MasterPipes open();
    // In a child.
    void forget_master();
};

// Forks. The child takes on the identity, if there is one, runs `main` with all signals blocked and default actions,
// and ends with the code that it returns; no destructor or exit handler of the master's runs in it. A child that is
// stuck somewhere when the master dies is ended by the kernel `orphan_grace` later. Throws std::system_error if there
// can be no child.
pid_t fork_child(std::chrono::seconds orphan_grace, const std::optional<Identity>& identity,
                 const std::function<int()>& main);

} // namespace cppcorn

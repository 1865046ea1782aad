// What every child of the master is at first: a copy of it that has to forget most of what it was. There is one fork
// and one forgetting; what differs between the kinds of children is a row of a table.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/server_fd.hpp"
#include "server/process/identity.hpp"
#include "server/process/process_title.hpp"

namespace cppcorn {

enum class ChildRole {
    probe,         // tries the app (server/release/app_probe.hpp)
    mold,          // the same, and stays: workers are forked from it (server/release/mold_process.hpp)
    worker,        // serves (server/supervision/worker_process.hpp)
    stand_in,      // answers while no worker can (the same)
    status,        // answers those who look after the service (server/status/status_process.hpp)
    lookout,       // rings the understudies of busy workers (server/lookout/lookout_process.hpp)
    successor,     // becomes a new master (server/release/hand_over.hpp)
    symbol_reader, // looks up what a crash's addresses mean (server/post_mortem/symbol_reader.hpp)
};

struct ChildRoleRow {
    ChildRole role;
    const char* title;                 // "cppcorn: worker [app]"; null: it will be another program, with its own
    bool takes_identity;               // becomes the user of --user before anything else
    bool is_closed;                    // and keeps its descriptors and memory from others of that user
    bool runs_app;                     // and the interpreter, whose part of the fork is done
    std::chrono::seconds orphan_grace; // how long it may outlive the master; 0: for ever
};

inline constexpr ChildRoleRow child_roles[] = {
    {ChildRole::probe, "probe", true, false, true, std::chrono::seconds(1)},
    {ChildRole::mold, "mold", true, false, true, std::chrono::seconds(1)},
    {ChildRole::worker, "worker", true, false, true, std::chrono::seconds(1)},
    {ChildRole::stand_in, "stand-in", true, false, false, std::chrono::seconds(1)},
    {ChildRole::status, "status", true, true, false, std::chrono::seconds(1)},
    {ChildRole::lookout, "lookout", true, false, false, std::chrono::seconds(1)},
    {ChildRole::successor, nullptr, false, false, false, std::chrono::seconds(0)},
    {ChildRole::symbol_reader, nullptr, true, false, false, std::chrono::seconds(0)},
};

struct ChildPlan {
    ChildRole role;
    std::string name;                 // of the app, for the title
    std::optional<Identity> identity; // that it takes on, if its role does
    std::vector<int> keeps;           // of our descriptors, besides the error log's
};

// Forks. The child has default actions for signals, all of them blocked; it has its role's title and identity, and of
// the server's own descriptors (base/server_fd.hpp) those that the plan keeps, the error log's and the standard
// streams. It runs `main` and ends with the code that it returns, or with 1 after an exception, which is logged; no
// destructor or exit handler of the master's runs in it. A child that is stuck somewhere when the master dies is ended
// by the kernel when its grace is over. `title` may be null. Throws std::system_error if there can be no child.
pid_t fork_child(const ChildPlan& plan, ProcessTitle* title, const std::function<int()>& main);

// The same in a child of the master's, which has the role's identity already: the new process is a child of the master's,
// too, which takes in orphans. It begins with `announce`, and ends at once where that says false. Returns once the
// process is there.
void fork_sibling(const ChildPlan& plan, ProcessTitle* title, pid_t master, const std::function<bool()>& announce,
                  const std::function<int()>& main);

// How a child has ended: "exited with code 3", "was sent SIGSEGV".
std::string text_of_end(int wait_status);

// The pipes that tie the workers to the master.
struct MasterPipes {
    ServerFd notices_read;  // what workers tell (base/master_link.hpp)
    ServerFd notices_write; // for the workers
    ServerFd leash_read;    // for the workers
    ServerFd leash_write;   // the master's alone: its end tells the workers that the master is gone

    static MasterPipes open();
};

} // namespace cppcorn

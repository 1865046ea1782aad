// The lookout: a child of the master that sees on the scoreboard which workers' apps have run for a while, and rings
// those workers' understudies. It reads nothing but whether a slot is busy and a count, and believes no worker anything
// else. While nothing goes on it sleeps without a timer.
#pragma once

#include "base/server_fd.hpp"
#include "server/supervision/scoreboard.hpp"

namespace cppcorn {

// Runs in the child, with all signals blocked, until the master ends or closes its end of `post` (bell_post.hpp). Of the
// scoreboard it uses the slots, and the lookout's flag and bell. Returns the exit code.
int run_lookout(Scoreboard& scoreboard, int post, int leash);

} // namespace cppcorn

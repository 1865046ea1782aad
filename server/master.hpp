// The life of the master process, from its command line to its exit code: what `main` is in the program, and what an
// interpreter that hosts the server calls (server/process/hosting.hpp).
#pragma once

namespace cppcorn {

// Runs once in a process. argv has the program's name in front. Returns the exit code; nothing is thrown.
int run_master(int argc, char** argv);

} // namespace cppcorn

// Finds an interpreter for an app that is no library, and becomes it.
#pragma once

#include "server/release/start_context.hpp"
#include "server/settings/settings.hpp"

namespace cppcorn {

// For the program itself, with the settings read and in the directory of --chdir. Where the settings say that an
// interpreter is to load the app, or leave it open and there is no library of that name, this process runs it on the
// server's package for Python, with the arguments, environment and directory of the start. Returns where there is no
// need for one, or none to be had that was not asked for; what happens then is the program's. Throws
// std::runtime_error where one was asked for that is not there.
void become_interpreter_if_needed(const Settings& settings, const StartContext& start);

// Says, where an interpreter hosts the server, what gunicorn would have read here and this server does not.
void note_unread_settings(const StartContext& start);

} // namespace cppcorn

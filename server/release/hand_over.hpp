// How the sockets of one program come to the next one: from a service manager (systemd's socket activation), or from
// the old master to the new one that SIGUSR2 starts. Descriptors are inherited; variables of the environment say which:
//
//   LISTEN_PID, LISTEN_FDS            systemd's: descriptors 3 and up, for the process of that pid
//   CPPCORN_UPGRADE="1 PID"           our protocol's version, and the old master
//   CPPCORN_LISTENER_<fd>="I <bind>"  for each listener, the number (inode) of its unix socket's file or 0, and its bind
//                                     setting
//   CPPCORN_STATUS                    a pipe to the old master, by which the new one says that its status process answers
//   CPPCORN_CONNECTIONS               the queue of connections: server/release/passed_queue.hpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/server_fd.hpp"
#include "server/release/listener.hpp"
#include "server/release/start_context.hpp"
#include "workers/handover/move_queue.hpp"

namespace cppcorn {

// The master that started this one and is still there. Its end makes this one the master.
struct Predecessor {
    pid_t pid = 0;
    ServerFd process;          // a pidfd: readable once it has ended
    ServerFd status_news{};    // written to and closed once this one's status process answers
    bool shares_queue = false; // its workers and this one's give each other their connections
};

struct InheritedSocket {
    BindAddress address;
    UniqueFd socket;
    std::uint64_t file_number = 0; // of its unix socket's file, which may not be at that path any more; 0: it has none
};

struct Inheritance {
    std::vector<std::string> activated_binds; // fd://3 …: of a service manager
    bool is_upgrade = false;
    std::optional<Predecessor> predecessor; // nullopt in an upgrade: it has died meanwhile
    std::vector<InheritedSocket> sockets;   // the predecessor's
    std::string queue;                      // as its variable says; "": there is none
};

// Takes what is there, and its variables out of the environment, so that no child takes it for its own. Throws
// std::runtime_error for what it does not understand.
Inheritance take_inheritance();

// The sockets as listeners, once the current directory is that of the settings. Throws as Listener does.
Listeners open_inherited(Inheritance& inheritance, Links links);

// What the new master gets of the old one's. All of it stays the old one's as well.
struct Legacy {
    const Listeners& listeners;
    const Listeners& status_listeners;
    const MoveQueue& queue;
    int answer;      // the new one's end (QueueAnswer)
    int status_news; // the same of the pipe for that; -1: nobody waits for such news
};

// Starts the program anew, as it was started before, and passes that on; its stderr becomes the error log if that is
// wished. Throws std::system_error if there can be no process; that the program cannot be run is logged, and the process
// ends with exit_settings.
pid_t start_successor(const StartContext& start, const Legacy& legacy, bool to_error_log);

} // namespace cppcorn

// A socket that listens, owned by the master and inherited by every worker. Non-blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/server_fd.hpp"
#include "server/release/address.hpp"
#include "server/release/resolver.hpp"
#include "server/release/socket_file.hpp"
#include "server/settings/settings.hpp"
#include "workers/context/listening_socket.hpp"

namespace cppcorn {

class Listener {
  public:
    // Binds and listens. Throws BindError for what the system refuses, and std::system_error or std::runtime_error for
    // what the setting has wrong: a path that is no socket, a descriptor that does not listen. A unix socket that nobody listens on any more is replaced; one that is live, or another kind of file, is
    // not.
    Listener(const BindAddress& address, const Settings& settings);
    // The same for TCP, at one of the addresses that were found for `address`.
    Listener(const BindAddress& address, const SocketAddress& where, const Settings& settings, bool ipv6_only);
    // Takes over a socket that another master has opened. Its unix socket's file is that one's, until own_file(true).
    // Throws as above if it does not listen.
    Listener(const BindAddress& address, UniqueFd socket, std::uint64_t file_number, Links links);
    // Closes, and removes a unix socket's file if it is still the same one, and ours.
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    const BindAddress& address() const { return address_; } // as asked for
    const BindAddress& bound() const { return bound_; }     // as it turned out
    // As it turned out: with the port that the kernel chose for port 0.
    std::string text() const { return bound_.text(); }
    // False for a unix socket whose file somebody has removed or replaced: nobody can connect any more.
    bool is_reachable() const { return file_.is_reachable(); }
    // What tells a unix socket's file from others at its path; 0 if it has none.
    std::uint64_t file_number() const { return file_.number(); }
    // Whether this process removes a unix socket's file in the end, or another one that serves it does.
    void own_file(bool owned) { owns_file_ = owned; }
    // Of a unix socket: from now on only that user and root are let in.
    void admit_only(uid_t owner) { only_for_ = owner; }
    bool is_private() const { return only_for_.has_value(); }
    ListeningSocket for_worker() const;

  private:
    void open_tcp(const SocketAddress& where, const Settings& settings, bool ipv6_only);
    void open_unix(const Settings& settings);
    void open_abstract(const Settings& settings);
    void adopt();
    void prepare();
    void find_bound_address();

    BindAddress address_; // as asked for
    BindAddress bound_;   // as it is
    ServerFd socket_;
    pid_t maker_ = 0;
    bool owns_file_ = true;
    SocketFile file_;               // of a unix socket
    std::optional<uid_t> only_for_; // and whom that is for
};

using Listeners = std::vector<std::shared_ptr<Listener>>;

// Where the status process answers: at --status-bind and, as the last one, at --control-socket; none where neither is
// set. As open_listeners(). A unix socket of the former is for its user and group only, unless --umask says otherwise; the
// control socket is private.
Listeners open_status_listeners(const Settings& settings, const Listeners& present);

// One for each bind setting, two for a name that has addresses of both families; those of `present` that have the same address, and can be reached, are used again. Throws
// as Listener does.
Listeners open_listeners(const Settings& settings, const Listeners& present);

} // namespace cppcorn

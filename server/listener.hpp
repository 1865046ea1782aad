// A socket that listens, owned by the master and inherited by every worker. Non-blocking.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "server/address.hpp"
#include "workers/listening_socket.hpp"
#include "workers/settings.hpp"
#include "workers/unique_fd.hpp"

namespace cppcorn {

class Listener {
  public:
    // Binds and listens. Throws std::system_error or std::runtime_error: "cannot bind 127.0.0.1:8000: Address already
    // in use". A unix socket that nobody listens on any more is replaced; one that is live, or another kind of file, is
    // not.
    Listener(const BindAddress& address, const Settings& settings, bool ipv6_only);
    // Closes, and removes a unix socket's file if it is still the one that was made here, by this process.
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    const BindAddress& address() const { return address_; }
    // As it turned out: with the port that the kernel chose for port 0.
    std::string text() const { return bound_.text(); }
    ListeningSocket for_worker() const;

  private:
    void open_tcp(const Settings& settings, bool ipv6_only);
    void open_unix(const Settings& settings);
    void adopt();
    void find_bound_address();

    BindAddress address_; // as asked for
    BindAddress bound_;   // as it is
    UniqueFd socket_;
    pid_t owner_ = 0;
    ino_t inode_ = 0; // of the unix socket's file
};

using Listeners = std::vector<std::shared_ptr<Listener>>;

// One for each bind setting; those of `present` that have the same address are used again. Throws as Listener does.
Listeners open_listeners(const Settings& settings, const Listeners& present);

} // namespace cppcorn

// The file of a unix socket. It is made, looked at and removed in a directory that is held open, as that directory may
// belong to somebody who could put another one in its place (base/held_path.hpp).
#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "base/held_path.hpp"
#include "base/server_fd.hpp"

namespace cppcorn {

class SocketFile {
  public:
    // There is none: TCP, or an abstract socket.
    SocketFile() = default;
    // Of a socket that is yet to be bound. Throws std::system_error: "cannot bind unix:/run/x.sock: …".
    SocketFile(std::string path, Links links);
    // Of a socket that another process has bound; `number` tells its file from others. Does not throw: where its
    // directory cannot be reached, it is not removed.
    SocketFile(std::string path, Links links, std::uint64_t number);

    // Removes what an earlier run has left behind. False if somebody listens there. Throws std::runtime_error for
    // another kind of file.
    bool make_way();
    // As bind(2); the file is given the permissions that the umask leaves.
    int bind(int socket, mode_t umask);
    // Makes it that user's. Throws std::system_error.
    void give(FileOwner owner) const;

    // Its inode; 0 if there is none.
    std::uint64_t number() const { return number_; }
    // False if somebody has removed or replaced it: nobody can connect any more.
    bool is_reachable() const;
    // If it is still the same one.
    void remove();

  private:
    template <class Call>
    int at_place(Call call) const;

    std::string path_;
    std::string name_;
    ServerFd directory_;
    bool is_guarded_ = false;
    std::uint64_t number_ = 0;
};

} // namespace cppcorn

// A listener and the processes that share it: the frame of the floors, and of peers whose library has no processes.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

[[noreturn]] inline void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

inline void set_option(int fd, int level, int name, int value) {
    if (::setsockopt(fd, level, name, &value, sizeof value) < 0) give_up("cannot set a socket option");
}

// A listener on 127.0.0.1, the caller's to close. flags: SOCK_NONBLOCK or 0. Accepted sockets inherit TCP_NODELAY.
inline int listen_on(std::uint16_t port, int flags) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) give_up("cannot make a socket");
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) give_up("cannot bind");
    if (::listen(fd, 2048) < 0) give_up("cannot listen");
    return fd;
}

// Runs work in that many processes until SIGTERM or SIGINT, then ends them and returns the exit status: 0, or 1 when
// one ended by itself. They die with the caller, however it ends.
template <class Work>
int run_in_processes(int workers, Work work) {
    sigset_t signals;
    sigset_t before;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, &before);

    std::vector<pid_t> children;
    const pid_t parent = ::getpid();
    for (int i = 0; i < workers; ++i) {
        const pid_t child = ::fork();
        if (child < 0) give_up("cannot fork");
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) std::_Exit(1); // it died before we asked to be told
            sigprocmask(SIG_SETMASK, &before, nullptr);
            try {
                work();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "%s\n", error.what());
            }
            std::_Exit(1);
        }
        children.push_back(child);
    }
    int received = 0;
    sigwait(&signals, &received);
    for (pid_t child : children) ::kill(child, SIGKILL);
    for (pid_t child : children) ::waitpid(child, nullptr, 0);
    return received == SIGCHLD ? 1 : 0;
}

} // namespace bench

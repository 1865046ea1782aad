// How many connections wait for a worker to accept them, by what the kernel tells of listening sockets (sock_diag).
// Without their descriptors: who holds one keeps the address when the workers have ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "server/release/listener.hpp"

namespace cppcorn {

struct ListenQueue {
    std::string address; // of the listener: "127.0.0.1:8000", "unix:/run/x.sock"
    std::uint64_t waiting = 0;
    std::uint64_t limit = 0; // --backlog, or less where the system allows less
};

class ListenQueues {
  public:
    // Those sockets. Only their numbers are kept.
    explicit ListenQueues(const Listeners& listeners);

    // Those that the kernel tells of: none where it has no sock_diag, or they are in another network namespace. Never
    // waits.
    std::vector<ListenQueue> look();

  private:
    struct Place {
        std::string address;
        std::uint64_t inode;
        int family;
    };

    bool ask_tcp(int family);
    bool ask_unix(std::uint64_t inode);
    void read_answers(std::vector<ListenQueue>& queues);
    void take_answer(const void* data, std::size_t size, std::vector<ListenQueue>& queues) const;
    void add(std::uint64_t inode, std::uint64_t waiting, std::uint64_t limit, std::vector<ListenQueue>& queues) const;

    std::vector<Place> places_;
    UniqueFd socket_;
};

} // namespace cppcorn

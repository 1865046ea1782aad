#include "workers/transport/doorway.hpp"

#include <iterator>

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace cppcorn {
namespace {

constexpr unsigned flags_offset = 13; // in a TCP header
constexpr unsigned syn = 0x02;
constexpr unsigned syn_and_ack = 0x12;

// The kernel drops what begins a connection. A shorter backlog would not do: it keeps room for one more.
void drop_new_connections(int listener) {
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_offset), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn_and_ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),   BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffff'ffff),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

bool is_unix(int listener) {
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;
    ::getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    return domain == AF_UNIX;
}

} // namespace

void let_in_no_more(int listener) {
    if (is_unix(listener)) return shut(listener); // what waits can be accepted all the same
    // Who has connected and not sent anything yet is to be accepted as well.
    const int off = 0;
    ::setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &off, sizeof off);
    drop_new_connections(listener);
}

void shut(int listener) {
    ::shutdown(listener, SHUT_RD);
}

} // namespace cppcorn

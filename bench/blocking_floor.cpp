// The least that a server of one request a connection can do: accept, recv, send, close, each of them blocking. The
// twin of floor.cpp for the clients that do not keep connections alive.
#include "bench/answer.hpp"
#include "bench/options.hpp"
#include "bench/prefork.hpp"

namespace {

void serve_one(int listener, const std::string& answer) {
    static char buffer[65536];
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    if (::recv(fd, buffer, sizeof buffer, 0) > 0) {
        // On a blocking socket it returns when all is sent, or the client has gone.
        [[maybe_unused]] const ssize_t sent = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    ::close(fd);
}

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments);
    const std::string answer =
        bench::make_head(options.body_size, "Connection: close\r\n") + bench::make_body(options.body_size);
    const int listener = bench::listen_on(options.port, 0);
    bench::set_option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    return bench::run_in_processes(options.workers, [&] {
        for (;;) serve_one(listener, answer);
    });
}

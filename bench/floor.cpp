// The least that a keep-alive HTTP server can do: what is measured above it is the price of being a real one. It
// believes its clients: it counts the ends of heads, and reads no more of them than the length of an upload. One epoll
// a process, level-triggered; one recv and one send a turn.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>

#include "bench/answer.hpp"
#include "bench/options.hpp"
#include "bench/prefork.hpp"

namespace {

struct Connection {
    std::string carry;         // the beginning of a head whose end has not come yet
    std::size_t body_left = 0; // of an upload
    std::size_t owed = 0;      // bytes of answers that are to be sent
    std::size_t position = 0;  // where in an answer, or in the batch of them, those begin
    bool waits_to_send = false;
};

std::size_t content_length(std::string_view head) {
    constexpr std::string_view kName = "Content-Length:";
    const void* found = ::memmem(head.data(), head.size(), kName.data(), kName.size());
    return found == nullptr ? 0 : std::strtoull(static_cast<const char*>(found) + kName.size(), nullptr, 10);
}

// Returns how many requests end in what came.
std::size_t count_requests(Connection& connection, std::string_view input) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t requests = 0;
    while (!input.empty()) {
        if (connection.body_left > 0) {
            const std::size_t taken = std::min(connection.body_left, input.size());
            input.remove_prefix(taken);
            connection.body_left -= taken;
            if (connection.body_left == 0) ++requests;
            continue;
        }
        const void* end = ::memmem(input.data(), input.size(), kEnd.data(), kEnd.size());
        if (end == nullptr) {
            connection.carry = input;
            break;
        }
        const std::string_view head = input.substr(0, static_cast<const char*>(end) + kEnd.size() - input.data());
        if (head.starts_with("POST")) connection.body_left = content_length(head);
        if (connection.body_left == 0) ++requests;
        input.remove_prefix(head.size());
    }
    return requests;
}

class Floor {
  public:
    explicit Floor(const bench::Options& options);
    void run();

  private:
    void watch(int operation, int fd, std::uint32_t events);
    void accept_one();
    void receive(int fd);
    void answer(int fd);
    ssize_t send_some(int fd, Connection& connection);
    void close(int fd);

    int listener_;
    int file_ = -1;
    int epoll_ = -1; // made after the fork: each process has its own
    std::string head_;
    std::string batch_; // some answers in a row, so that pipelined requests are answered by one call
    std::size_t answer_size_;
    std::vector<Connection> connections_; // by descriptor
};

Floor::Floor(const bench::Options& options)
    : listener_(bench::listen_on(options.port, SOCK_NONBLOCK)), head_(bench::make_head(options.body_size)) {
    answer_size_ = head_.size() + options.body_size;
    if (!options.file.empty()) {
        file_ = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
        if (file_ < 0) bench::give_up("cannot open the file");
        return;
    }
    const std::string answer = head_ + bench::make_body(options.body_size);
    const std::size_t answers = std::clamp<std::size_t>(65536 / answer_size_, 1, 64);
    for (std::size_t i = 0; i < answers; ++i) batch_ += answer;
}

void Floor::run() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) bench::give_up("cannot make an epoll");
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    epoll_event events[128];
    for (;;) {
        const int count = ::epoll_wait(epoll_, events, 128, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener_) {
                accept_one();
            } else if (connections_[fd].waits_to_send) {
                answer(fd);
            } else {
                receive(fd);
            }
        }
    }
}

void Floor::watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
}

void Floor::accept_one() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return; // another process was faster
    if (connections_.size() <= static_cast<std::size_t>(fd)) connections_.resize(fd + 1);
    connections_[fd] = Connection();
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
}

void Floor::receive(int fd) {
    static char buffer[65536];
    const ssize_t received = ::recv(fd, buffer, sizeof buffer, 0);
    if (received <= 0) {
        if (received == 0 || errno != EAGAIN) close(fd);
        return;
    }
    Connection& connection = connections_[fd];
    std::string_view input(buffer, received);
    std::string joined;
    if (!connection.carry.empty()) {
        joined = std::exchange(connection.carry, "").append(input);
        input = joined;
    }
    const std::size_t requests = count_requests(connection, input);
    if (requests == 0) return;
    connection.owed = requests * answer_size_;
    answer(fd);
}

void Floor::answer(int fd) {
    Connection& connection = connections_[fd];
    while (connection.owed > 0) {
        const ssize_t sent = send_some(fd, connection);
        if (sent < 0 && errno == EAGAIN) {
            if (!connection.waits_to_send) watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
            connection.waits_to_send = true;
            return;
        }
        if (sent <= 0) return close(fd);
        connection.owed -= sent;
        connection.position = (connection.position + sent) % answer_size_;
    }
    if (connection.waits_to_send) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    connection.waits_to_send = false;
}

ssize_t Floor::send_some(int fd, Connection& connection) {
    const std::size_t position = connection.position;
    if (file_ < 0) {
        return ::send(fd, batch_.data() + position, std::min(connection.owed, batch_.size() - position), MSG_NOSIGNAL);
    }
    if (position < head_.size()) {
        return ::send(fd, head_.data() + position, head_.size() - position, MSG_NOSIGNAL | MSG_MORE);
    }
    off_t offset = static_cast<off_t>(position - head_.size());
    return ::sendfile(fd, file_, &offset, answer_size_ - position);
}

void Floor::close(int fd) {
    ::close(fd);
    connections_[fd] = Connection();
}

} // namespace

int main(int count, char** arguments) {
    std::signal(SIGPIPE, SIG_IGN); // sendfile has no MSG_NOSIGNAL
    const bench::Options options = bench::parse_options(count, arguments);
    Floor floor(options);
    return bench::run_in_processes(options.workers, [&floor] { floor.run(); });
}

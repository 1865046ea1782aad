// A real understudy of a worker that is played: what becomes of a connection on which something comes while the worker
// is in the app. understudy_calls CASE
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "workers/handover/understudy.hpp"

using namespace cppcorn;

namespace {

constexpr int patience_ms = 10'000; // with what comes in a few

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    ::_exit(1);
}

// Lives in the process that plays the worker.
class PlayedWorker {
  public:
    PlayedWorker() {
        int ends[2];
        require(::pipe(ends) == 0, "no pipe");
        leash_.reset(ends[0]);
        masters_end_.reset(ends[1]);
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "no pair of sockets");
        connection_.reset(ends[0]);
        client_.reset(ends[1]);
        sit();
        start_understudy({.memory = memory_,
                          .queue = queue_,
                          .moved_from_busy = moved_from_busy_,
                          .moved_from_dead = moved_from_dead_,
                          .access_log = LogPlace(),
                          .epoll = epoll_.get(),
                          .bell = bell_.get(),
                          .leash = leash_.get(),
                          .take_title = [] {},
                          .tell_newcomer = [](int, ConnectionRecord&) { return false; }});
    }

    Token& token() { return memory_.token(); }
    void come_back() {
        wait_until([&] { return token().take_back(); }, "the token does not come back");
    }
    // Returns when the understudy has heard it.
    void ring() {
        const std::uint64_t one = 1;
        require(::write(bell_.get(), &one, sizeof one) == sizeof one, "the bell does not ring");
        pollfd entry{bell_.get(), POLLIN, 0};
        wait_until([&] { return ::poll(&entry, 1, 0) == 0; }, "the understudy does not hear its bell");
    }
    void wait_until_it_watches() {
        wait_until([&] { return memory_.notes().is_quiet.load() != 0; }, "the understudy does not look");
    }
    void send_request() { require(::write(client_.get(), "G", 1) == 1, "nothing can be sent"); }
    void wait_until_moved() {
        wait_until([&] { return memory_.notes().moved.load() == 1; }, "the connection is not moved");
        require(queue_.take().has_value(), "the queue is empty");
    }
    bool is_moved() { return memory_.notes().moved.load() != 0; }

  private:
    void sit() {
        constexpr std::uint32_t generation = 7;
        const int fd = connection_.get();
        Seat& seat = *memory_.seat(fd);
        std::memcpy(seat.address, "192.0.2.1", 10);
        memory_.row_of({"127.0.0.1", 8000, 0, 0});
        seat.phase = SeatPhase::idle;
        seat.generation = generation;
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
        require(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "the connection is not watched");
        DeskPicture picture{};
        picture.fd = -1;
        picture.phase = DeskPhase::in_app;
        memory_.desk().show(picture);
    }
    static void wait_until(const std::function<bool()>& condition, const char* otherwise) {
        for (int waited = 0; !condition(); ++waited) {
            require(waited < patience_ms, otherwise);
            ::poll(nullptr, 0, 1);
        }
    }

    WorkerMemory memory_{64, std::size_t{1} << 16};
    MoveQueue queue_ = MoveQueue::make();
    Counter moved_from_busy_;
    Counter moved_from_dead_;
    UniqueFd epoll_{::epoll_create1(0)};
    UniqueFd bell_{::eventfd(0, EFD_NONBLOCK)};
    UniqueFd leash_;
    UniqueFd masters_end_;
    UniqueFd connection_;
    UniqueFd client_;
};

void is_moved_while_the_app_runs(PlayedWorker& worker) {
    worker.token().lend();
    worker.ring();
    worker.send_request();
    worker.wait_until_moved();
}

// Nothing but the ring tells that the call it watches is over.
void is_moved_in_the_next_call(PlayedWorker& worker) {
    worker.token().lend();
    worker.ring();
    worker.wait_until_it_watches();
    worker.come_back();
    worker.token().lend();
    worker.ring();
    worker.send_request();
    worker.wait_until_moved();
}

// As it does for each write of the app: no ring follows.
void is_moved_after_the_worker_has_sent_something(PlayedWorker& worker) {
    worker.token().lend();
    worker.ring();
    worker.wait_until_it_watches();
    for (int i = 0; i < 100; ++i) {
        worker.come_back();
        worker.token().lend_again();
    }
    worker.send_request();
    worker.wait_until_moved();
}

void stays_between_two_calls(PlayedWorker& worker) {
    worker.token().lend();
    worker.ring();
    worker.wait_until_it_watches();
    worker.come_back();
    worker.send_request();
    worker.ring(); // late
    ::poll(nullptr, 0, 50);
    require(!worker.is_moved(), "the understudy has taken what is the worker's");
}

const std::map<std::string, void (*)(PlayedWorker&)> cases{
    {"the app runs", is_moved_while_the_app_runs},
    {"the next call", is_moved_in_the_next_call},
    {"after a write", is_moved_after_the_worker_has_sent_something},
    {"between two calls", stays_between_two_calls},
};

// The understudy is a child of the one who plays the master, here: this process.
int play(void (*scene)(PlayedWorker&)) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        PlayedWorker worker;
        scene(worker);
        ::_exit(0);
    }
    int status = 0;
    const bool is_played = pid > 0 && ::waitpid(pid, &status, 0) == pid;
    while (::waitpid(-1, nullptr, 0) > 0) continue;
    return is_played && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

} // namespace

int main(int argc, char** argv) {
    const auto found = argc > 1 ? cases.find(argv[1]) : cases.end();
    if (found == cases.end()) {
        for (const auto& each : cases) std::printf("%s\n", each.first.c_str());
        return 2;
    }
    ::signal(SIGPIPE, SIG_IGN);
    return play(found->second);
}

// Understudies of workers whose memory is spoilt: spoilt_mourning CASES [SEED]. Each case is a worker with descriptors of
// every kind, of which some are clients' connections and most are not. Whatever stands in its memory, its understudy
// comes to its end, and does nothing to a descriptor that is no client's.
#include "workers/handover/mourning.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "tests/spoilt/spoilt_memory.hpp"
#include "workers/handover/understudy.hpp"

using namespace cppcorn;

namespace {

constexpr int seat_count = 64;
constexpr std::size_t arena_size = std::size_t{1} << 16;
constexpr unsigned longest_case_s = 60;

std::uint64_t current = 0; // the case's seed

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "%s: %s; spoilt_mourning 1 %llu does it again\n", what.c_str(), std::strerror(errno),
                 static_cast<unsigned long long>(current));
    std::exit(1);
}

void require(bool holds, const char* what) {
    if (!holds) fail(what);
}

struct Ends {
    UniqueFd workers;
    UniqueFd others; // of the client, or whoever the app talks to
};

Ends make_pair(int type) {
    int ends[2];
    require(::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "no pair of sockets");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd listen_somewhere(sockaddr_in& address) {
    UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    require(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                ::listen(listener.get(), 64) == 0 &&
                ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0,
            "no listener");
    return listener;
}

// Over TCP: `is_accepted` says which of the two ends is the worker's.
Ends connect_over(const UniqueFd& listener, const sockaddr_in& address, bool is_accepted) {
    UniqueFd caller(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(::connect(caller.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "no connection");
    UniqueFd called(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    require(called.is_open(), "no connection is accepted");
    const linger at_once{1, 0}; // closed ones would keep their ports for a minute
    for (const int fd : {caller.get(), called.get()}) {
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return is_accepted ? Ends{std::move(called), std::move(caller)} : Ends{std::move(caller), std::move(called)};
}

ino_t inode_of(int fd) {
    struct stat status {};
    require(::fstat(fd, &status) == 0, "no such descriptor");
    return status.st_ino;
}

std::uint64_t tag_of(int fd) {
    return std::uint64_t{static_cast<std::uint32_t>(fd) + 100} << 32 | static_cast<std::uint32_t>(fd);
}

class World {
  public:
    World();

    void play(spoilt::Choices& choices);
    long moved() const { return moved_; }
    long answered() const { return answered_; }

  private:
    void set_up_seats();
    void sit(int fd);
    void make_clients();
    void run_mourning(bool is_dead) const;
    void run_understudy() const;
    void wait_for_all();
    void look_at_strangers();
    void look_at_clients();
    void take_moved();
    void add_stranger(Ends ends);

    WorkerMemory memory_{seat_count, arena_size};
    MoveQueue queue_ = MoveQueue::make();
    UniqueFd epoll_;
    UniqueFd listener_;
    sockaddr_in address_{};
    UniqueFd app_listener_;
    sockaddr_in app_address_{};
    UniqueFd leash_;
    UniqueFd master_end_;
    UniqueFd bell_;
    UniqueFd log_;
    LogPlace log_place_;
    std::vector<Ends> clients_;
    std::vector<Ends> strangers_;
    std::vector<std::pair<UniqueFd, off_t>> files_; // with their sizes
    std::vector<int> descriptors_;                  // that a spoilt memory may name
    long moved_ = 0;
    long answered_ = 0;
};

World::World() {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    bell_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    int ends[2];
    require(::pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    leash_.reset(ends[0]);
    master_end_.reset(ends[1]);
    log_.reset(::memfd_create("log", MFD_CLOEXEC));
    log_place_ = LogPlace("", log_.get());
    listener_ = listen_somewhere(address_);
    app_listener_ = listen_somewhere(app_address_);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint32_t>(listener_.get());
    require(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0, "the listener is not watched");

    add_stranger(connect_over(app_listener_, app_address_, false));
    add_stranger(connect_over(app_listener_, app_address_, true));
    add_stranger(connect_over(listener_, address_, false)); // the app is a client of the service itself
    add_stranger(make_pair(SOCK_STREAM));
    add_stranger(make_pair(SOCK_DGRAM));
    add_stranger(make_pair(SOCK_SEQPACKET));
    require(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "no pipe");
    add_stranger({UniqueFd(ends[1]), UniqueFd(ends[0])});
    for (const int flags : {0, O_APPEND}) {
        UniqueFd file(::memfd_create("a file of the app's", MFD_CLOEXEC));
        require(::write(file.get(), "what the app has", 16) == 16, "no file");
        ::fcntl(file.get(), F_SETFL, flags);
        descriptors_.push_back(file.get());
        files_.emplace_back(std::move(file), 16);
    }
    for (const int fd : {queue_.put_fd(), queue_.take_fd(), epoll_.get(), listener_.get(), app_listener_.get(),
                         leash_.get(), bell_.get(), log_.get(), 0, 1, 2})
        descriptors_.push_back(fd);
    make_clients();
    memory_.row_of({"127.0.0.1", 8000, 0, 0});
}

void World::add_stranger(Ends ends) {
    descriptors_.push_back(ends.workers.get());
    strangers_.push_back(std::move(ends));
}

// Those whose connections the last case has used up are replaced.
void World::make_clients() {
    for (const Ends& ends : clients_) std::erase(descriptors_, ends.workers.get());
    clients_.clear();
    for (int i = 0; i < 4; ++i) clients_.push_back(connect_over(listener_, address_, true));
    for (int i = 0; i < 2; ++i) clients_.push_back(make_pair(SOCK_STREAM));
    for (const Ends& ends : clients_) {
        const int fd = ends.workers.get();
        descriptors_.push_back(fd);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = tag_of(fd);
        // The first one has just come.
        if (&ends != &clients_.front()) ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    }
}

void World::sit(int fd) {
    Seat& seat = *memory_.seat(fd);
    std::memcpy(seat.address, "192.0.2.1", 10);
    seat.phase = SeatPhase::idle;
    seat.generation = static_cast<std::uint32_t>(tag_of(fd) >> 32);
}

void World::set_up_seats() {
    void* const begin = &memory_.desk();
    const auto size = reinterpret_cast<char*>(memory_.seat(seat_count - 1) + 1) - static_cast<char*>(begin);
    std::memset(begin, 0, static_cast<std::size_t>(size));
    std::memset(const_cast<char*>(memory_.arena().at(0)), '\n', memory_.arena().size());
    memory_.row_of({"127.0.0.1", 8000, 0, 0});
    for (const Ends& ends : clients_) sit(ends.workers.get());
    WorkerNotes& notes = memory_.notes();
    notes.watch(listener_.get());
    notes.log_fd = log_.get() + 1;
    const Ends& served = clients_[1];
    DeskPicture picture{};
    picture.fd = served.workers.get();
    picture.generation = memory_.seat(picture.fd)->generation;
    picture.phase = DeskPhase::in_app;
    memory_.desk().show(picture);
}

void World::run_mourning(bool is_dead) const {
    Counter moved;
    const TellNewcomer tell_newcomer = [](int, ConnectionRecord&) { return false; };
    Mourning mourning(const_cast<WorkerMemory&>(memory_), queue_, moved, log_place_, tell_newcomer, epoll_.get(),
                      leash_.get());
    mourning.serve_clients(is_dead);
}

// A worker that lends its token, rings, and is killed soon afterwards; the understudy is this process's child as well.
void World::run_understudy() const {
    WorkerMemory& memory = const_cast<WorkerMemory&>(memory_);
    Counter moved_from_busy;
    Counter moved_from_dead;
    start_understudy({.memory = memory,
                      .queue = queue_,
                      .moved_from_busy = moved_from_busy,
                      .moved_from_dead = moved_from_dead,
                      .access_log = log_place_,
                      .epoll = epoll_.get(),
                      .bell = bell_.get(),
                      .leash = leash_.get(),
                      .take_title = [] {},
                      .tell_newcomer = [](int, ConnectionRecord&) { return false; }});
    memory.token().lend();
    const std::uint64_t one = 1;
    if (::write(bell_.get(), &one, sizeof one) != sizeof one) ::_exit(1);
    ::usleep(2000);
    ::kill(::getpid(), SIGKILL);
}

void World::wait_for_all() {
    int status = 0;
    while (::waitpid(-1, &status, 0) > 0) {
        const bool is_worker = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        require(is_worker || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "an understudy has crashed");
    }
}

void World::play(spoilt::Choices& choices) {
    set_up_seats();
    const bool is_alive_first = choices.below(20) == 0;
    const bool is_dead = choices.below(4) != 0; // and not kept by its report
    spoilt::spoil(memory_, descriptors_, choices);
    const pid_t child = ::fork();
    require(child >= 0, "cannot fork");
    if (child == 0) {
        is_alive_first ? run_understudy() : run_mourning(is_dead);
        ::_exit(0);
    }
    wait_for_all();
    take_moved();
    look_at_strangers();
    look_at_clients();
}

// What has gone into the queue are clients' connections and, with them, files.
void World::take_moved() {
    while (const auto moved = queue_.take()) {
        const ino_t inode = inode_of(moved->socket.get());
        bool is_clients = false;
        for (const Ends& ends : clients_) is_clients = is_clients || inode_of(ends.workers.get()) == inode;
        require(is_clients, "what was moved is no client's connection");
        ++moved_;
    }
}

void World::look_at_strangers() {
    for (const Ends& ends : strangers_) {
        pollfd entry{ends.others.get(), POLLIN | POLLRDHUP, 0};
        require(::poll(&entry, 1, 0) == 0, "somebody else's descriptor was written to, or shut down");
    }
    for (const auto& [file, size] : files_) {
        struct stat status {};
        require(::fstat(file.get(), &status) == 0 && status.st_size == size, "a file of the app's was written to");
    }
    require(::ftruncate(log_.get(), 0) == 0 && ::lseek(log_.get(), 0, SEEK_SET) == 0, "the log is gone");
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(bell_.get(), &count, sizeof count);
}

// They may have got anything. Those that are at their end are replaced.
void World::look_at_clients() {
    bool is_any_touched = false;
    for (const Ends& ends : clients_) {
        pollfd entry{ends.others.get(), POLLIN | POLLRDHUP, 0};
        if (::poll(&entry, 1, 0) == 0) continue;
        is_any_touched = true;
        char bytes[8192];
        const ssize_t got = ::read(ends.others.get(), bytes, sizeof bytes);
        if (got > 0 && std::string_view(bytes, static_cast<std::size_t>(got)).find("HTTP/1.1 50") != std::string::npos)
            ++answered_;
    }
    // An understudy takes connections out of the epoll, too, which it shares.
    epoll_event event{};
    event.events = EPOLLIN;
    for (std::size_t i = 1; i < clients_.size(); ++i) {
        const int fd = clients_[i].workers.get();
        event.data.u64 = tag_of(fd);
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    }
    event.data.u64 = static_cast<std::uint32_t>(listener_.get());
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
    if (is_any_touched) make_clients();
}

} // namespace

int main(int argc, char** argv) {
    const long cases = argc > 1 ? std::atol(argv[1]) : 1000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    ::signal(SIGALRM, [](int) {
        constexpr std::string_view text = "an understudy does not come to its end\n";
        [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
        ::_exit(1);
    });
    spdlog::set_level(spdlog::level::off);
    ::signal(SIGPIPE, SIG_IGN);
    World world;
    for (long i = 0; i < cases; ++i) {
        spoilt::RandomChoices choices(seed + static_cast<std::uint64_t>(i));
        current = seed + static_cast<std::uint64_t>(i);
        ::alarm(longest_case_s);
        world.play(choices);
    }
    std::printf("%ld cases; %ld connections were moved, %ld requests answered\n", cases, world.moved(),
                world.answered());
}

#include "workers/handover/understudy.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "workers/handover/client_check.hpp"
#include "workers/handover/mourning.hpp"
#include "workers/handover/seat_image.hpp"
#include "workers/handover/socket_counts.hpp"

namespace cppcorn {
namespace {

constexpr int events_at_once = 64;
constexpr int look_again_ms = 3; // where something is ready that cannot be moved, the queue is full, or nothing is lent
constexpr int longest_watch_ms = 10; // without a look
constexpr int most_missed = 2;       // looks in a row at a call that does not lend

class Understudy {
  public:
    Understudy(const UnderstudyPlan& plan, int worker)
        : memory_(plan.memory),
          queue_(plan.queue),
          moved_(plan.moved_from_busy),
          mourning_(plan.memory, plan.queue, plan.moved_from_dead, plan.access_log, plan.tell_newcomer, plan.epoll,
                    plan.leash),
          epoll_(plan.epoll),
          bell_(plan.bell),
          leash_(plan.leash),
          worker_(worker) {}

    // Until there is nothing left to do.
    void run();

  private:
    enum class Look { all_moved, some_stay, not_lent };

    void watch();
    Look look(Token::Call call);
    void make_quiet();
    void send_held_answers();
    bool move_ready();
    void move_waiting();
    bool is_watched(int fd, std::uint32_t generation, SeatPhase phase) const;
    bool move(int fd, std::uint32_t generation);
    void mourn();
    // Waits, at most so long, for the worker's end, the master's end, the bell, or more of the clients. False: the end.
    bool wait(int epoll, int timeout_ms);

    WorkerMemory& memory_;
    const MoveQueue& queue_;
    Counter& moved_;
    Mourning mourning_;
    int epoll_;
    int bell_;
    int leash_;
    int worker_;           // a pidfd
    bool is_rung_ = false; // since that was asked
};

void Understudy::run() {
    while (wait(-1, -1)) {
        if (std::exchange(is_rung_, false)) watch();
    }
}

bool Understudy::wait(int epoll, int timeout_ms) {
    pollfd entries[] = {{worker_, POLLIN, 0}, {leash_, POLLIN, 0}, {bell_, POLLIN, 0}, {epoll, POLLIN, 0}};
    ::poll(entries, std::size(entries), timeout_ms);
    // Whatever the app has closed or put in their place, it has done to itself.
    const auto is_lost = [](const pollfd& entry) { return (entry.revents & POLLNVAL) != 0; };
    if (is_lost(entries[0]) || is_lost(entries[1]) || is_lost(entries[2])) return false;
    if (entries[2].revents != 0) {
        std::uint64_t count = 0;
        if (::read(bell_, &count, sizeof count) != sizeof count) return false; // it is another's by now
        is_rung_ = true;
    }
    if (entries[0].revents != 0) {
        mourning_.serve_clients(true);
        return false;
    }
    if (entries[1].revents != 0) return false;
    if (memory_.notes().is_crashing.load()) mourning_.serve_clients(false);
    return true;
}

// While the call lasts. The epoll does not tell that it is over: a worker that is back takes what is there first, and
// each of its events would only disturb our sleep. And where the worker has the token, it may be sending something in
// the midst of the call.
void Understudy::watch() {
    Token::Call call = memory_.token().call();
    for (int missed = 0;;) {
        const Look result = look(call);
        missed = result == Look::not_lent ? missed + 1 : 0;
        if (missed == most_missed) return;
        const bool more_is_told = result == Look::all_moved;
        if (!wait(more_is_told ? epoll_ : -1, more_is_told ? longest_watch_ms : look_again_ms)) ::_exit(0);
        if (std::exchange(is_rung_, false)) call = memory_.token().call();
    }
}

Understudy::Look Understudy::look(Token::Call call) {
    if (!memory_.token().take(call)) return Look::not_lent;
    if (!memory_.notes().is_quiet.load()) make_quiet();
    send_held_answers();
    move_waiting();
    const bool all = move_ready();
    memory_.token().give();
    return all ? Look::all_moved : Look::some_stay;
}

// New connections, orders and signals are for the worker, which has no time now. They would wake us again and again.
void Understudy::make_quiet() {
    WorkerNotes& notes = memory_.notes();
    notes.is_quiet.store(true);
    for (const auto& other : notes.others) {
        const int fd = WorkerNotes::descriptor_of(other);
        if (fd < 0) continue;
        epoll_event event{};
        event.data.u64 = static_cast<std::uint32_t>(fd);
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    }
}

// Answers that a pipelined request has got already, and which wait for the slow one behind it.
void Understudy::send_held_answers() {
    Desk& desk = memory_.desk();
    const DeskPicture picture = desk.picture();
    const std::uint32_t gone = desk.sent_for_worker();
    const std::size_t room = memory_.arena().size();
    const bool makes_sense = picture.phase == DeskPhase::in_app && picture.output.size > gone &&
                             picture.output.offset <= room && picture.output.size <= room - picture.output.offset;
    if (!makes_sense || !is_clients(epoll_, picture)) return;
    const char* const bytes = memory_.arena().at(picture.output.offset) + gone;
    const ssize_t sent = ::send(picture.fd, bytes, picture.output.size - gone, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) desk.note_sent(static_cast<std::uint32_t>(sent));
}

// False if something is ready that stays.
bool Understudy::move_ready() {
    std::array<epoll_event, events_at_once> events;
    const int count = ::epoll_wait(epoll_, events.data(), events_at_once, 0);
    bool all = true;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
        all = move(static_cast<int>(tag & 0xffff'ffff), static_cast<std::uint32_t>(tag >> 32)) && all;
    }
    return all;
}

// Whose requests were read already, and wait for another turn of the worker's.
void Understudy::move_waiting() {
    if (memory_.notes().waiting.load() == 0) return;
    const int end = std::min(memory_.notes().seats_end.load(), memory_.seat_count());
    for (int fd = 0; fd < end; ++fd) {
        const Seat& seat = *memory_.seat(fd);
        const std::uint32_t generation = seat.generation.load();
        ConnectionImage image;
        const bool may_wait = generation != 0 && seat.parked != 0 && image_of(memory_, fd, image);
        const bool waits = may_wait && image.record.request.has(RequestState::input_held);
        if (waits && is_watched(fd, generation, image.record.phase)) move(fd, generation);
    }
}

// Whether the worker's epoll has it, which the kernel knows. Its interest there stays as it is.
bool Understudy::is_watched(int fd, std::uint32_t generation, SeatPhase phase) const {
    epoll_event event{};
    event.events = phase == SeatPhase::writing ? EPOLLOUT : EPOLLIN;
    event.data.u64 = std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
    return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
}

bool Understudy::move(int fd, std::uint32_t generation) {
    Seat* const seat = memory_.seat(fd);
    const bool is_in_app = memory_.desk().picture().fd == fd;
    ConnectionImage image;
    if (generation == 0 || is_in_app || seat == nullptr || seat->generation.load() != generation) return false;
    if (!is_connection(fd) || !image_of(memory_, fd, image) || queue_.put(image) != MoveQueue::Put::sent) return false;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); // before the close: afterwards nothing could take it out
    ::close(fd);
    seat->generation.store(0);
    memory_.notes().moved.fetch_add(1);
    moved_.add_shared();
    return true;
}

// Nothing that reaches this process is meant for the worker's handlers, whose memory is a copy here.
void leave_signals() {
    for (int signal = 1; signal < NSIG; ++signal) {
        if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
    }
}

[[noreturn]] void live(const UnderstudyPlan& plan, int worker, pid_t master) {
    leave_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != master) ::_exit(0);
    plan.take_title();
    Understudy(plan, worker).run();
    ::_exit(0);
}

} // namespace

pid_t start_understudy(const UnderstudyPlan& plan) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before); // for good, in the child: only a KILL ends it
    const pid_t master = ::getppid();
    const int worker = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
    const long pid = worker < 0 ? -1 : ::syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) live(plan, worker, master);
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    check(static_cast<int>(pid), "cannot make an understudy");
    return static_cast<pid_t>(pid);
}

} // namespace cppcorn

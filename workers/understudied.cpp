#include "workers/understudied.hpp"

#include <algorithm>
#include <system_error>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/crash_report.hpp"
#include "workers/connection/newcomer.hpp"
#include "workers/handover/mourning.hpp"
#include "workers/handover/understudy.hpp"

namespace cppcorn {
namespace {

// A seat for each descriptor that there can be.
int seat_count() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, Mourning::most_seats));
}

// A table of descriptors that two processes share grows only after the kernel has waited for all processors, up to half a
// second on a busy machine, in an accept() of the worker's. So it grows while it is the worker's alone, and keeps its size.
void make_room_for_descriptors(const WorkerSettings& settings, const Epoll& epoll) {
    constexpr long most_of_connection = 4; // the socket, a body in the spool, two files
    constexpr long others = 64;
    constexpr long most = 16'384; // which is 128 KiB of the kernel's
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto wanted = static_cast<rlim_t>(std::min(settings.worker_connections * most_of_connection + others, most));
    const UniqueFd last(::fcntl(epoll.fd(), F_DUPFD_CLOEXEC, static_cast<int>(std::min(limit.rlim_cur, wanted)) - 1));
}

} // namespace

std::unique_ptr<Understudied> Understudied::make(const WorkerSetup& setup, const Epoll& epoll) {
    if (setup.queue == nullptr) return nullptr;
    try {
        return std::make_unique<Understudied>(setup, epoll);
    } catch (const std::system_error& error) {
        spdlog::warn("{}; this worker's connections end with it", error.what());
        return nullptr;
    }
}

Understudied::Understudied(const WorkerSetup& setup, const Epoll& epoll)
    : setup_(setup), epoll_(epoll), memory_(seat_count()) {
    Arena::make_current(&memory_.arena());
    shadow_log();
    if (setup.understudy_bell != nullptr) make_room_for_descriptors(setup.settings, epoll);
    employ();
}

void Understudied::shadow_log() {
    Arena& arena = memory_.arena();
    char* const lines = setup_.access_log.active() ? static_cast<char*>(arena.allocate(LogShadow::room)) : nullptr;
    if (lines == nullptr) return;
    WorkerNotes& notes = memory_.notes();
    setup_.access_log.cast_shadow(
        {lines, static_cast<std::uint32_t>(arena.offset_of(lines)), &notes.log_lines, &notes.log_fd});
}

void Understudied::introduce(WorkerContext& context) {
    context_ = &context;
    context.memory = &memory_;
    context.queue = setup_.queue;
    context.make_understudy = [this] { employ(); };
    if (understudy_.is_open()) context.desk.employ(memory_, understudy_.get());
}

void Understudied::employ() {
    if (setup_.understudy_bell == nullptr) return;
    const auto tell_newcomer = [this](int socket, ConnectionRecord& record) {
        return record_of_newcomer(socket, setup_.listeners, setup_.settings, record);
    };
    try {
        const pid_t pid = start_understudy({.memory = memory_,
                                            .queue = *setup_.queue,
                                            .moved_from_busy = setup_.slot.counters.moved_from_busy,
                                            .moved_from_dead = setup_.slot.counters.moved_from_dead,
                                            .access_log = LogPlace(setup_.access_log.path(), setup_.access_log.fd()),
                                            .epoll = epoll_.fd(),
                                            .bell = setup_.understudy_bell->fd(),
                                            .leash = setup_.master.leash_fd(),
                                            .take_title = setup_.take_understudy_title,
                                            .tell_newcomer = tell_newcomer});
        tell_of_crash(memory_.notes().is_crashing, setup_.understudy_bell->fd());
        setup_.slot.set_understudy(pid);
        understudy_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (context_ != nullptr) context_->desk.employ(memory_, understudy_.get());
    } catch (const std::system_error& error) {
        spdlog::warn("{}; a crash of this worker will end its connections", error.what());
    }
}

} // namespace cppcorn

#include "server/mold/mold.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr auto patience = std::chrono::seconds(5); // which nobody has seen one take

// The ends of other workers interrupt it.
MoldPostState wait_for_notice(int post, MoldNotice& notice) {
    const SteadyTime deadline = SteadyClock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
        pollfd entry{post, POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
        const MoldPostState state = receive_notice(post, notice);
        if (state != MoldPostState::nothing || left <= 0) return state;
    }
}

} // namespace

Mold::Mold(pid_t pid, ServerFd post, SharedArray<CrashRecord> crash, std::optional<Identity> identity)
    : pid_(pid), post_(std::move(post)), crash_(std::move(crash)), identity_(std::move(identity)) {}

pid_t Mold::fork_worker(int slot, int bell, int understudy_bell) {
    const int bells[] = {bell, understudy_bell};
    const bool is_sent = send_order(post_.get(), MoldOrder::Kind::fork, slot, {bells, understudy_bell >= 0 ? 2u : 1u});
    if (!is_sent) throw_system_error("the mold has ended", ECHILD);
    MoldNotice notice;
    switch (wait_for_notice(post_.get(), notice)) {
        case MoldPostState::ended:
            throw_system_error("the mold has ended", ECHILD);
        case MoldPostState::nothing:
            return kill_and_look_again();
        case MoldPostState::message:
            if (notice.kind != MoldNotice::Kind::forked) throw_system_error("the mold cannot fork", notice.error);
    }
    return notice.pid;
}

// No worker is to be there that the master does not know. After the shutdown, none can say that it is there, and ends;
// one that has said so until then is heard.
pid_t Mold::kill_and_look_again() {
    ::kill(pid_, SIGKILL);
    ::shutdown(post_.get(), SHUT_RD);
    MoldNotice notice;
    const bool has_come = receive_notice(post_.get(), notice) == MoldPostState::message;
    if (has_come && notice.kind == MoldNotice::Kind::forked) return notice.pid;
    throw_system_error("the mold does not answer, and is killed", ETIMEDOUT);
}

void Mold::tell(MoldOrder::Kind order) const {
    send_order(post_.get(), order);
}

Death Mold::exited(int wait_status, long peak_kib) {
    Death death;
    death.pid = std::exchange(pid_, 0);
    death.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    death.place = "as the mold that workers are forked from";
    death.peak_kib = peak_kib;
    death.identity = identity_;
    death.crash = checked(crash_[0]);
    return death;
}

} // namespace cppcorn

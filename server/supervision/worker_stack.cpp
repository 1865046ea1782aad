#include "server/supervision/worker_stack.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

// Python's faulthandler writes the stack then (bridges/python/cppcorn/_worker.py). Python goes on with a wait that a
// signal breaks off.
int python_stack_signal() {
    return SIGRTMAX - 3;
}

} // namespace

Death facts_of_living(const WorkerEntry& worker, const ScoreboardSlot& slot, const Release& release) {
    Death facts;
    facts.pid = worker.pid;
    facts.place = "in a request";
    if (const auto current = slot.current()) {
        facts.request = current->line;
        facts.request_id = current->id;
        facts.client = current->address;
        facts.age = SteadyClock::now() - current->began;
    }
    facts.served = slot.requests();
    facts.identity = release.identity;
    return facts;
}

std::string request_text(const Death& facts) {
    return fmt::format("{} from {}, for {:.1f} s", escaped(facts.request),
                       facts.client.empty() ? "a unix socket" : facts.client, facts.age.count());
}

bool handles_signal(pid_t pid, int signal) {
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    constexpr std::string_view name = "SigCgt:";
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, name.size(), name) != 0) continue;
        return (std::strtoull(line.c_str() + name.size(), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
    return false;
}

bool has_interpreter(pid_t pid, const Release& release) {
    return is_for_interpreter(release.settings()) && handles_signal(pid, python_stack_signal());
}

void ask_interpreter(pid_t pid) {
    ::syscall(SYS_tgkill, pid, pid, python_stack_signal()); // to the thread that serves
}

} // namespace cppcorn

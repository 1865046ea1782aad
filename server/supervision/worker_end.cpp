#include "server/supervision/worker_end.hpp"

#include <csignal>

#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include "base/log/escape.hpp"
#include "base/signals.hpp"
#include "workers/worker.hpp"

namespace cppcorn {

std::string request_under_way(const ScoreboardSlot& slot, SteadyTime now) {
    if (!slot.busy()) return "";
    const std::chrono::duration<double> age = now - slot.began();
    return fmt::format(" while serving {}, for {:.1f} s", escaped(slot.line()), age.count());
}

void log_worker_end(const WorkerEntry& entry, bool asked_to, int wait_status, const ScoreboardSlot& slot) {
    const std::string request = request_under_way(slot, SteadyTime::clock::now());
    if (WIFSIGNALED(wait_status)) {
        const int signal = WTERMSIG(wait_status);
        const char* guess = signal == SIGKILL && !entry.killed ? ". Perhaps out of memory?" : "";
        const char* dump = WCOREDUMP(wait_status) ? " (core dumped)" : "";
        spdlog::error("Worker (pid:{}) was sent {}{}{}{}", entry.pid, signal_name(signal), request, dump, guess);
        return;
    }
    const int code = WEXITSTATUS(wait_status);
    if (code == worker_exit_clean && asked_to && request.empty()) return;
    spdlog::error("Worker (pid:{}) exited with code {}{}", entry.pid, code, request);
}

void log_lost_request(const ScoreboardSlot& slot, AccessLog& access_log) {
    if (!slot.busy() || !access_log.active()) return;
    const std::string line = slot.line();
    const std::string address = slot.address();
    AccessRecord record;
    record.remote_address = address;
    record.request_line = line;
    record.duration = SteadyTime::clock::now() - slot.began();
    record.started = std::chrono::system_clock::now() -
                     std::chrono::duration_cast<std::chrono::system_clock::duration>(record.duration);
    access_log.write(record);
    access_log.flush();
}

} // namespace cppcorn

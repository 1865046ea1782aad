#include "server/supervision/worker_end.hpp"

#include <csignal>
#include <ctime>

#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include "base/log/escape.hpp"
#include "base/signals.hpp"
#include "server/process/child.hpp"
#include "workers/worker.hpp"

namespace cppcorn {

std::string request_under_way(const ScoreboardSlot& slot, SteadyTime now) {
    if (!slot.busy()) return "";
    const std::chrono::duration<double> age = now - slot.began();
    return fmt::format(" while serving {}, for {:.1f} s", escaped(slot.line()), age.count());
}

namespace {

// Where a worker is that serves no request. Empty where there is nothing to say: it waits for one.
std::string place_of(WorkerPhase phase) {
    switch (phase) {
        case WorkerPhase::loading:
            return "while loading the app";
        case WorkerPhase::worker_start:
            return "in worker_start";
        case WorkerPhase::serving:
            return "";
        case WorkerPhase::worker_exit:
            return "in worker_exit";
        case WorkerPhase::destroy:
            return "in destroy";
    }
    return "";
}

std::string circumstances(const ScoreboardSlot& slot) {
    std::string request = request_under_way(slot, SteadyTime::clock::now());
    if (!request.empty()) return request;
    const std::string place = place_of(slot.phase());
    return place.empty() ? "" : " " + place;
}

// Of a SIGKILL that we did not send.
const char* guess(OomKills::Answer out_of_memory) {
    switch (out_of_memory) {
        case OomKills::Answer::yes:
            return ". Perhaps out of memory?";
        case OomKills::Answer::no:
            return ". Somebody sent it: the kernel counts no lack of memory";
        case OomKills::Answer::unknown:
            return ". Perhaps out of memory? The kernel does not say";
    }
    return "";
}

} // namespace

void log_worker_end(const WorkerEntry& entry, bool asked_to, int wait_status, const ScoreboardSlot& slot,
                    const EndClues& clues) {
    const std::string where = circumstances(slot);
    const RequestUnderWay request(slot);
    const LoggedRequest logged(request.facts());
    if (WIFSIGNALED(wait_status)) {
        const int signal = WTERMSIG(wait_status);
        const bool is_foreign_kill = signal == SIGKILL && !entry.killed && !clues.has_crashed;
        const char* dump = WCOREDUMP(wait_status) ? " (core dumped)" : "";
        spdlog::error("Worker (pid:{}) was sent {}{}{}{}{}", entry.pid, signal_name(signal), where, dump,
                      is_foreign_kill ? guess(clues.out_of_memory) : "", clues.repeat);
        return;
    }
    const int code = WEXITSTATUS(wait_status);
    const bool has_ended_itself = slot.phase() == WorkerPhase::destroy && !slot.busy();
    if (code == worker_exit_clean && asked_to && has_ended_itself) return;
    // It was through with all of the app, so that is no place of the exit's.
    spdlog::error("Worker (pid:{}) exited with code {}{}", entry.pid, code, has_ended_itself ? "" : where);
}

EndCause cause_of_end(const WorkerEntry& entry, bool asked_to, int wait_status, const EndClues& clues) {
    const bool is_signal = WIFSIGNALED(wait_status);
    if (entry.state == WorkerState::overdue) return EndCause::timeout;
    if (is_signal && WTERMSIG(wait_status) == SIGKILL && !clues.has_crashed) {
        if (entry.killed) return EndCause::grace;
        return clues.out_of_memory == OomKills::Answer::yes ? EndCause::out_of_memory : EndCause::killed;
    }
    if (is_signal || clues.has_crashed) return EndCause::crash;
    if (WEXITSTATUS(wait_status) == worker_exit_clean && asked_to) return EndCause::retired;
    return entry.state == WorkerState::starting ? EndCause::start : EndCause::exit;
}

WorkerEnd end_of_worker(const WorkerEntry& entry, EndCause cause, int wait_status, const ScoreboardSlot& slot) {
    WorkerEnd end;
    end.time = std::time(nullptr);
    end.pid = entry.pid;
    end.slot = entry.slot;
    end.cause = cause;
    end.how = text_of_end(wait_status);
    if (!slot.busy()) return end;
    end.request = slot.line();
    end.client = slot.address();
    end.request_id = slot.request_id();
    end.request_age = std::chrono::duration<double>(SteadyTime::clock::now() - slot.began()).count();
    return end;
}

Death death_of_worker(const WorkerEntry& entry, int wait_status, const ScoreboardSlot& slot, const CrashRecord& crash,
                      long peak_kib) {
    Death death;
    death.pid = entry.pid;
    death.signal = WTERMSIG(wait_status);
    death.crash = checked(crash);
    death.served = slot.requests();
    death.peak_kib = peak_kib;
    death.place = slot.busy() ? "in a request" : place_of(slot.phase());
    if (death.place.empty()) death.place = "between requests";
    if (!slot.busy()) return death;
    death.request = slot.line();
    death.request_id = slot.request_id();
    death.client = slot.address();
    death.age = SteadyTime::clock::now() - slot.began();
    return death;
}

void log_lost_request(const ScoreboardSlot& slot, AccessLog& access_log) {
    if (!slot.busy() || !access_log.active()) return;
    const std::string line = slot.line();
    const std::string address = slot.address();
    const std::string id = slot.request_id();
    AccessRecord record;
    record.request_id = id;
    record.remote_address = address;
    record.request_line = line;
    // Its understudy answers a request whose response had not begun.
    const bool is_answered = slot.understudy() != 0 && !slot.begun();
    const bool overran = slot.request_deadline() && SteadyTime::clock::now() >= *slot.request_deadline();
    record.status = !is_answered ? 0 : overran ? 504 : 500;
    record.duration = SteadyTime::clock::now() - slot.began();
    record.started = std::chrono::system_clock::now() -
                     std::chrono::duration_cast<std::chrono::system_clock::duration>(record.duration);
    access_log.write(record);
    access_log.flush();
}

} // namespace cppcorn

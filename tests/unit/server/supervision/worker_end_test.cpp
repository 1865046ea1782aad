#include "server/supervision/worker_end.hpp"

#include <csignal>

#include "tests/catch.hpp"
#include "tests/unit/log_text.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr int exited(int code) {
    return code << 8;
}
constexpr int dumped = 0x80; // a core
constexpr char client[46] = "192.0.2.1";

WorkerEntry worker(WorkerState state = WorkerState::serving) {
    WorkerEntry entry;
    entry.pid = 7;
    entry.state = state;
    return entry;
}

void begin(ScoreboardSlot& slot, const char* line, std::chrono::milliseconds ago = 0ms) {
    slot.begin_request(line, client, "the-id", SteadyClock::now() - ago, SteadyTime::max());
}

std::string logged(const WorkerEntry& entry, bool asked_to, int status, const ScoreboardSlot& slot,
                   const EndClues& clues = {}) {
    const LogText log;
    log_worker_end(entry, asked_to, status, slot, clues);
    return log.text();
}

TEST_CASE("worker end: the request that was under way, with its age") {
    ScoreboardSlot slot;
    const SteadyTime now = SteadyClock::now();
    CHECK(request_under_way(slot, now).empty());
    CHECK(RequestUnderWay(slot).facts().id.empty());
    slot.begin_request("GET /x\"\n HTTP/1.1", client, "the-id", now - 1260ms, SteadyTime::max());
    CHECK(request_under_way(slot, now) == " while serving GET /x\\\"\\x0a HTTP/1.1, for 1.3 s");
    {
        const RequestUnderWay request(slot);
        CHECK(request.facts().id == "the-id");
        CHECK(request.facts().line == "GET /x\"\n HTTP/1.1");
        CHECK(std::string(request.facts().client) == "192.0.2.1");
    }
    slot.end_request();
    CHECK(request_under_way(slot, now).empty());
    CHECK(RequestUnderWay(slot).facts().id.empty());
}

TEST_CASE("worker end: a signal is named, with what is known about it") {
    ScoreboardSlot slot;
    slot.enter(WorkerPhase::serving);
    CHECK(logged(worker(), false, SIGSEGV, slot) == "error Worker (pid:7) was sent SIGSEGV\n");
    CHECK(logged(worker(), false, SIGSEGV | dumped, slot) == "error Worker (pid:7) was sent SIGSEGV (core dumped)\n");
    CHECK(logged(worker(), false, SIGKILL, slot, {OomKills::Answer::yes, false, ""}) ==
          "error Worker (pid:7) was sent SIGKILL. Perhaps out of memory?\n");
    CHECK(logged(worker(), false, SIGKILL, slot, {OomKills::Answer::unknown, false, ""}) ==
          "error Worker (pid:7) was sent SIGKILL. Perhaps out of memory? The kernel does not say\n");
    CHECK(logged(worker(), false, SIGKILL, slot, {OomKills::Answer::no, false, ""}) ==
          "error Worker (pid:7) was sent SIGKILL. Somebody sent it: the kernel counts no lack of memory\n");
    CHECK(logged(worker(), false, SIGSEGV, slot, {OomKills::Answer::yes, true, ". Again"}) ==
          "error Worker (pid:7) was sent SIGSEGV. Again\n");
    CHECK(logged(worker(), false, SIGKILL, slot, {OomKills::Answer::yes, true, ""}) ==
          "error Worker (pid:7) was sent SIGKILL\n"); // its crash says why
    WorkerEntry killed = worker(WorkerState::overdue);
    killed.killed = true;
    CHECK(logged(killed, false, SIGKILL, slot) == "error Worker (pid:7) was sent SIGKILL\n");
    begin(slot, "GET /x HTTP/1.1");
    CHECK(logged(worker(), false, SIGSEGV, slot) ==
          "error Worker (pid:7) was sent SIGSEGV while serving GET /x HTTP/1.1, for 0.0 s\n");
    CHECK(logged(worker(), true, SIGTERM, slot) ==
          "error Worker (pid:7) was sent SIGTERM while serving GET /x HTTP/1.1, for 0.0 s\n");
}

TEST_CASE("worker end: an end outside of a request says in which function of the app it was") {
    ScoreboardSlot slot;
    CHECK(logged(worker(), false, SIGSEGV, slot) == "error Worker (pid:7) was sent SIGSEGV while loading the app\n");
    slot.enter(WorkerPhase::worker_start);
    CHECK(logged(worker(), false, SIGSEGV, slot) == "error Worker (pid:7) was sent SIGSEGV in worker_start\n");
    CHECK(logged(worker(), false, exited(7), slot) == "error Worker (pid:7) exited with code 7 in worker_start\n");
    slot.enter(WorkerPhase::worker_exit);
    CHECK(logged(worker(), true, exited(0), slot) == "error Worker (pid:7) exited with code 0 in worker_exit\n");
    slot.enter(WorkerPhase::destroy);
    CHECK(logged(worker(), true, SIGSEGV, slot) == "error Worker (pid:7) was sent SIGSEGV in destroy\n");
    slot.clear();
    CHECK(slot.phase() == WorkerPhase::loading);
}

TEST_CASE("worker end: what a report of its crash is made from") {
    ScoreboardSlot slot;
    CrashRecord crash{};
    slot.enter(WorkerPhase::worker_start);
    CHECK(death_of_worker(worker(), SIGSEGV, slot, crash, 100).place == "in worker_start");
    slot.enter(WorkerPhase::serving);
    CHECK(death_of_worker(worker(), SIGSEGV, slot, crash, 100).place == "between requests");
    slot.end_request();
    begin(slot, "GET /x HTTP/1.1", 2s);
    crash.frame_count = 1000; // of no version
    const Death death = death_of_worker(worker(), SIGSEGV, slot, crash, 100);
    CHECK(death.place == "in a request");
    CHECK(death.request == "GET /x HTTP/1.1");
    CHECK(death.client == "192.0.2.1");
    CHECK(death.age >= 2s);
    CHECK(death.served == 1);
    CHECK(death.peak_kib == 100);
    CHECK(death.crash.frame_count == 0);
}

TEST_CASE("worker end: an exit is an error, unless it was asked for and clean") {
    ScoreboardSlot slot;
    slot.enter(WorkerPhase::destroy);
    CHECK(logged(worker(), true, exited(0), slot).empty());
    CHECK(logged(worker(), false, exited(0), slot) == "error Worker (pid:7) exited with code 0\n");
    CHECK(logged(worker(), true, exited(3), slot) == "error Worker (pid:7) exited with code 3\n");
    begin(slot, "GET /x HTTP/1.1");
    CHECK(logged(worker(), true, exited(0), slot) ==
          "error Worker (pid:7) exited with code 0 while serving GET /x HTTP/1.1, for 0.0 s\n");
}

TEST_CASE("worker end: the lost request has its line in the access log, without a status") {
    const TemporaryFolder folder;
    AccessLogOptions options;
    options.path = folder / "access.log";
    options.format = "%(h)s %(r)s %(s)s %(L)s";
    AccessLog log(options);
    ScoreboardSlot slot;
    log_lost_request(slot, log);
    CHECK(text_of(options.path).empty());
    begin(slot, "GET /x HTTP/1.1", 2s);
    log_lost_request(slot, log);
    CHECK(text_of(options.path).rfind("192.0.2.1 GET /x HTTP/1.1 - 2.0", 0) == 0);
}

TEST_CASE("worker end: each has one cause") {
    const EndClues none;
    const EndClues no_memory{OomKills::Answer::yes, false, ""};
    const EndClues crashed{OomKills::Answer::no, true, ""};
    WorkerEntry killed = worker(WorkerState::retiring);
    killed.killed = true;
    CHECK(cause_of_end(worker(WorkerState::retiring), true, exited(0), none) == EndCause::retired);
    CHECK(cause_of_end(worker(WorkerState::retiring), true, exited(7), none) == EndCause::exit);
    CHECK(cause_of_end(worker(), false, exited(0), none) == EndCause::exit);
    CHECK(cause_of_end(worker(WorkerState::starting), false, exited(4), none) == EndCause::start);
    CHECK(cause_of_end(worker(WorkerState::starting), false, SIGSEGV, none) == EndCause::crash);
    CHECK(cause_of_end(worker(WorkerState::overdue), false, SIGABRT, crashed) == EndCause::timeout);
    CHECK(cause_of_end(worker(WorkerState::overdue), false, SIGKILL, none) == EndCause::timeout);
    CHECK(cause_of_end(killed, true, SIGKILL, none) == EndCause::grace);
    CHECK(cause_of_end(worker(), false, SIGKILL, none) == EndCause::killed);
    CHECK(cause_of_end(worker(), false, SIGKILL, no_memory) == EndCause::out_of_memory);
    CHECK(cause_of_end(worker(), false, SIGKILL, crashed) == EndCause::crash);
    CHECK(cause_of_end(worker(), false, SIGSEGV | dumped, none) == EndCause::crash);
}

TEST_CASE("worker end: what is noted of it") {
    ScoreboardSlot slot;
    begin(slot, "GET /x HTTP/1.1", 2s);
    const WorkerEnd end = end_of_worker(worker(), EndCause::crash, SIGSEGV, slot);
    CHECK(end.pid == 7);
    CHECK(end.how == "was sent SIGSEGV");
    CHECK(end.request == "GET /x HTTP/1.1");
    CHECK(end.client == client);
    CHECK(end.request_id == "the-id");
    CHECK(end.request_age >= 2);
    slot.end_request();
    CHECK(end_of_worker(worker(), EndCause::exit, exited(3), slot).request.empty());
}

} // namespace
} // namespace cppcorn

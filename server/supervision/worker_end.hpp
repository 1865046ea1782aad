// What the logs tell of a worker that was ended or has ended, from its entry in the table and its slot on the
// scoreboard.
#pragma once

#include <string>

#include "base/log/logged_request.hpp"
#include "server/post_mortem/death.hpp"
#include "server/supervision/end_book.hpp"
#include "server/supervision/oom_kills.hpp"
#include "server/supervision/worker_table.hpp"
#include "workers/access_log/access_log.hpp"
#include "workers/context/scoreboard_slot.hpp"

namespace cppcorn {

// " while serving GET /x HTTP/1.1, for 0.3 s"; nothing if it serves none.
std::string request_under_way(const ScoreboardSlot& slot, SteadyTime now);
// The same for lines about it. Empty if none is.
class RequestUnderWay {
  public:
    explicit RequestUnderWay(const ScoreboardSlot& slot) {
        if (!slot.busy()) return;
        id_ = slot.request_id();
        line_ = slot.line();
        client_ = slot.address();
    }
    RequestFacts facts() const { return {id_, line_, client_.c_str()}; }

  private:
    std::string id_;
    std::string line_;
    std::string client_;
};

// What else is known of an end.
struct EndClues {
    OomKills::Answer out_of_memory = OomKills::Answer::unknown;
    bool has_crashed = false; // before it was killed, perhaps
    std::string repeat;       // what PostMortems::add() says of a crash that is no news
};

// To the error log: the signal or exit code, and the request or where else it was. Nothing where the worker was asked
// to end and did.
void log_worker_end(const WorkerEntry& entry, bool asked_to, int wait_status, const ScoreboardSlot& slot,
                    const EndClues& clues);

// Why it has ended.
EndCause cause_of_end(const WorkerEntry& entry, bool asked_to, int wait_status, const EndClues& clues);
// The same, with what else the status tells of an end.
WorkerEnd end_of_worker(const WorkerEntry& entry, EndCause cause, int wait_status, const ScoreboardSlot& slot);

// What a report of a crash tells of a worker. `peak_kib`: the most memory that it had.
Death death_of_worker(const WorkerEntry& entry, int wait_status, const ScoreboardSlot& slot, const CrashRecord& crash,
                      long peak_kib);

// To the access log: the line that the worker could not write, of the request that it died of. Its status is
// what its understudy answers, or 0 where the client got none, or not all of the response.
void log_lost_request(const ScoreboardSlot& slot, AccessLog& access_log);

} // namespace cppcorn

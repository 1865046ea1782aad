// The access log's lines of answers that are not all sent yet. A line says whether its answer was cut, which is known
// only when the client has taken the answer. Answers that leave at once cost nothing here: their lines are in the
// access log already, and are taken back only if the client does not take all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "workers/access_log/access_log.hpp"

namespace cppcorn {

class AnswerLines {
  public:
    // A line was written behind `position` of the log. Its answer is out when `due` bytes were sent in all; 0: the line
    // says already what became of it.
    void add(std::uint64_t position, std::uint64_t due) {
        if (!has_new_) written_from_ = position;
        has_new_ = true;
        dues_.push_back(due);
    }

    // All answers are out.
    void note_sent(AccessLog& log) {
        if (!dues_.empty()) settle(log);
    }
    // They have to wait for the client.
    void note_waiting(AccessLog& log);
    // Nothing more is sent, after `sent` bytes in all: lines of later answers say that these were cut.
    void note_cut(AccessLog& log, std::uint64_t sent);

    // Lines that wait, between turns.
    std::string_view held() const { return held_; }
    // Of another worker, which is all that is known of them: either all their answers were cut, or none.
    void resume(std::string_view lines);
    // They are somebody else's now.
    void forget();

  private:
    void settle(AccessLog& log);

    std::vector<std::uint64_t> dues_; // of all lines
    Bytes held_;                      // lines that were taken back
    std::uint64_t written_from_ = 0;  // where the others begin
    bool has_new_ = false;            // there are others, written in this turn
};

} // namespace cppcorn

// Explains crashes: has the symbols looked up by a process of its own, one crash at a time, and prints what came out of
// it; without symbols where that process fails or takes too long. The master itself reads no file that an app could
// have broken.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/server_fd.hpp"
#include "server/post_mortem/death.hpp"
#include "server/post_mortem/known_crashes.hpp"
#include "server/post_mortem/symbols.hpp"

namespace cppcorn {

class PostMortems {
  public:
    using Print = std::function<void(pid_t pid, const std::string& text)>;

    // `print` gets each report, of several lines, and the process that it is of.
    explicit PostMortems(Print print) : print_(std::move(print)) {}

    // A process has died of a crash; its report comes later, from supervise() on. If an equal one was reported before, there is none;
    // returns then what to say instead: ". The same crash as pid 4711's, 3 times now".
    std::string add(Death death, SteadyTime now);
    // There is room for one more process that lives: ask before its stack is taken, which costs time.
    bool takes_living() const;
    // A process that lives: its stack is told under its headline, as a warning or to who has asked for it.
    void add_living(Death death);
    // The log is another one from now on: each crash is reported once more.
    void forget() { known_.forget(); }

    // The process that looks up symbols; 0 if there is none.
    pid_t reader_pid() const { return reader_pid_; }
    void reader_exited();
    // Begins what is to be begun, and kills a reader that takes too long.
    void supervise(SteadyTime now);
    // Whoever waits for the reports has no time left: they come as they are.
    void hurry();
    // Nothing but the reports is waited for from now on: as long as for one of them, then hurry(). For each turn.
    void come_to_an_end(SteadyTime now);
    bool idle() const { return waiting_.empty(); }
    // When supervise() has something to do; SteadyTime::max() for never.
    SteadyTime due() const { return std::min(deadline_, hurry_at_); }

  private:
    void begin_next(SteadyTime now);
    void begin(const Death& death, SteadyTime now);
    void print(const Death& death, const CrashSymbols& symbols) const;
    CrashRecord record_in_exchange() const;
    std::string answer() const;

    Print print_;
    KnownCrashes known_;
    std::deque<Death> waiting_; // the first one is the reader's, if there is one
    ServerFd exchange_;         // memory that the reader gets the record in, and writes its answer to
    pid_t reader_pid_ = 0;
    SteadyTime deadline_ = SteadyTime::max();
    SteadyTime hurry_at_ = SteadyTime::max();
    bool in_hurry_ = false;
};

} // namespace cppcorn

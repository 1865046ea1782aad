// How one release takes the place of another: it is bound, tried, adopted, and settles or is rolled back. Events go in,
// commands come out, and whoever carries them out reports what came of it with the next event. It forks, signals and
// waits for nothing; all that it does to the system is that the listeners of a release that it drops are closed, and
// its mold is let go.
//
//   start or begin -> bind -> bound -> probe -> passed -> adopt -> adopted ... settled
//   failed, at each of these steps: the candidate is gone; those before it serve on
//   hopeless: the workers of the newest release cannot start; the one before it is in use again
//
// Who tries a release is not known here: a short-lived process, the first worker of a generation or a mold, which
// report the same passed() and failed().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "server/release/release.hpp"

namespace cppcorn {

enum class RolloutCommand {
    bind,      // read the settings (but for the first release, which has its own), listen: bound() or failed()
    probe,     // try the candidate's app: passed() or failed()
    adopt,     // enter the candidate's directory: adopted() or failed()
    keep,      // nothing has come of it: the release in use stays, and its directory and umask are to be entered again
    roll_back, // current() is the release before: its workers, directory, logs and pidfile
    give_up,   // there is no release to go back to
};

class Rollout {
  public:
    using Commands = std::vector<RolloutCommand>;

    // `first`: what the program starts with. It is the one in use, though nothing is served until it is adopted.
    explicit Rollout(std::shared_ptr<Release> first) : current_(std::move(first)) {}

    // ---- Events

    // The first release is to be bound.
    Commands start();
    // A release is wanted. One that waits for an address is bound anew, with the settings as they are now. While one is
    // being tried, it is queued: as soon as that one's fate is known, a new one is bound. Several become one.
    Commands begin();
    // The candidate is complete, but for its app.
    Commands bound(std::shared_ptr<Release> candidate);
    Commands passed();
    // What was asked for last could not be done. The candidate is closed before any other is bound.
    Commands failed();
    // The candidate is in use from now on, and workers of a new generation run it.
    Commands adopted();
    // A worker of the newest generation is ready: there is no way back.
    void settled();
    // The newest generation cannot start.
    Commands hopeless();
    // The service ends: nothing is tried any more, and nothing listens here.
    void stop();

    // ---- Questions

    // The one in use. Never null.
    const std::shared_ptr<Release>& current() const { return current_; }
    // The one that is being tried; null if none is.
    const std::shared_ptr<Release>& candidate() const { return candidate_; }
    // A release is being bound or tried.
    bool is_under_way() const { return binding_ || candidate_ != nullptr; }
    bool has_adopted() const { return newest_generation_ > 0; }
    // One was adopted and may yet be rolled back.
    bool unsettled() const { return previous_ != nullptr; }
    // Of the workers that run the release that was adopted last. Counted from 1; no number comes twice.
    unsigned newest_generation() const { return newest_generation_; }

    // The release that the workers of a generation run, whether or not it is in use; null for one that is forgotten.
    std::shared_ptr<Release> release_of(unsigned generation) const;
    // Every release that has logs open: those that workers may still run, oldest first, and those that they will.
    std::vector<std::shared_ptr<Release>> releases() const;
    // Forgets those that have no workers any more and are not needed for a roll-back either.
    void forget_unused(const std::function<bool(unsigned generation)>& has_workers);

  private:
    void close_others();

    std::shared_ptr<Release> current_;
    std::shared_ptr<Release> candidate_;
    std::shared_ptr<Release> previous_; // to go back to
    std::map<unsigned, std::shared_ptr<Release>> by_generation_;
    unsigned newest_generation_ = 0;
    bool binding_ = false; // bound() or failed() is to come
    bool queued_ = false;  // another one is wanted once the candidate's fate is known
};

} // namespace cppcorn

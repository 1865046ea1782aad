#include "server/lookout/lookout_process.hpp"

#include <algorithm>
#include <csignal>
#include <map>

#include <poll.h>

#include "base/signals.hpp"
#include "server/lookout/bell_post.hpp"
#include "server/lookout/rounds.hpp"

namespace cppcorn {
namespace {

class LookoutProcess {
  public:
    LookoutProcess(Scoreboard& scoreboard, int post, int leash) : scoreboard_(scoreboard), post_(post), leash_(leash) {}

    void run() {
        rounds_.woken(SteadyClock::now());
        show_state();
        while (wait()) {
            if (const SteadyTime now = SteadyClock::now(); now >= rounds_.due()) look(now);
        }
    }

  private:
    // False: it is over.
    bool wait() {
        pollfd entries[] = {{leash_, POLLIN, 0}, {post_, POLLIN, 0}, {scoreboard_.lookout_bell().fd(), POLLIN, 0}};
        if (::poll(entries, std::size(entries), wait_time_ms()) <= 0) return true;
        if (entries[0].revents != 0) return false;
        if (entries[2].revents != 0) {
            scoreboard_.lookout_bell().silence();
            wake_up();
        }
        return entries[1].revents == 0 || read_post();
    }

    int wait_time_ms() const {
        if (rounds_.due() == SteadyTime::max()) return -1;
        const auto left = std::chrono::ceil<Milliseconds>(rounds_.due() - SteadyClock::now()).count();
        return static_cast<int>(std::max<std::int64_t>(left, 0));
    }

    bool read_post() {
        BellMessage message;
        for (;;) {
            const BellPostState state = receive_bell(post_, message);
            if (state != BellPostState::message) return state == BellPostState::nothing;
            take(message);
        }
    }

    void take(BellMessage& message) {
        if (message.bell.is_open()) {
            rounds_.add(message.slot);
            bells_.insert_or_assign(message.slot, Bell(std::move(message.bell)));
            wake_up();
        } else {
            rounds_.remove(message.slot);
            bells_.erase(message.slot);
        }
    }

    void wake_up() {
        rounds_.woken(SteadyClock::now());
        show_state();
    }

    void look(SteadyTime now) {
        const auto state = rounds_.state();
        const auto& to_ring = rounds_.look(now, [this](int number) -> LookoutRounds::Sight {
            const ScoreboardSlot& slot = scoreboard_.slot(number);
            return {slot.busy(), slot.requests()};
        });
        for (const int slot : to_ring) bells_.at(slot).ring();
        if (rounds_.state() != state) show_state();
    }

    // Falling asleep, it shows so before its last look; a worker that takes the flag back rings.
    void show_state() {
        const bool sleeps = rounds_.state() != LookoutRounds::State::looking;
        if (rounds_.state() != LookoutRounds::State::asleep) scoreboard_.lookout_sleeps().store(sleeps);
    }

    Scoreboard& scoreboard_;
    int post_;
    int leash_;
    LookoutRounds rounds_;
    std::map<int, Bell> bells_;
};

} // namespace

int run_lookout(Scoreboard& scoreboard, int post, int leash) {
    ignore_what_masters_handle();
    unblock_all_signals();
    LookoutProcess(scoreboard, post, leash).run();
    return 0;
}

} // namespace cppcorn

#include "server/supervision/reload_clock.hpp"

#include "tests/catch.hpp"
#include "tests/unit/log_text.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

// A master of two workers, under a clock of its own.
class Reload {
  public:
    Reload() : table_(32) { table_.want(2); }

    void ask() { clock_.begin(table_.generation(), now_); }
    void fail() { clock_.drop(); }
    void pass(std::chrono::milliseconds time) { now_ += time; }
    void adopt(unsigned generation) { table_.begin_generation(generation); }
    void worker_ready() {
        table_.spawned(next_, next_, now_);
        table_.ready(next_++, now_);
        clock_.log_end(table_, "build 7", now_);
    }
    std::string logged() const { return log_.text(); }

  private:
    LogText log_;
    ReloadClock clock_;
    WorkerTable table_;
    SteadyTime now_{1h};
    int next_ = 1;
};

TEST_CASE("ReloadClock: counts from the request to the last new worker that is ready") {
    Reload reload;
    reload.ask();
    reload.pass(1500ms);
    reload.adopt(2);
    reload.worker_ready();
    CHECK(reload.logged().empty());
    reload.pass(500ms);
    reload.worker_ready();
    CHECK(reload.logged() == "info Reload done: 2 new workers serve after 2.00 s, build 7\n");
    reload.worker_ready();
    CHECK(reload.logged() == "info Reload done: 2 new workers serve after 2.00 s, build 7\n");
}

TEST_CASE("ReloadClock: workers of the old release that become ready meanwhile do not end a reload") {
    Reload reload;
    reload.ask();
    reload.worker_ready();
    reload.worker_ready();
    CHECK(reload.logged().empty());
}

TEST_CASE("ReloadClock: a second request while one is under way does not start it anew") {
    Reload reload;
    reload.ask();
    reload.pass(1s);
    reload.ask();
    reload.adopt(2);
    reload.worker_ready();
    reload.worker_ready();
    CHECK(reload.logged() == "info Reload done: 2 new workers serve after 1.00 s, build 7\n");
}

TEST_CASE("ReloadClock: workers that come after a reload that failed end none") {
    Reload reload;
    reload.ask();
    reload.fail();
    reload.adopt(2);
    reload.worker_ready();
    reload.worker_ready();
    CHECK(reload.logged().empty());
}

} // namespace
} // namespace cppcorn

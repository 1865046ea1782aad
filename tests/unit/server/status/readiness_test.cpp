#include "server/status/readiness.hpp"

#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

std::string not_ready(const ServiceView& view, const ReadyLimits& limits = {}) {
    const Readiness answer = readiness(view, limits);
    CHECK_FALSE(answer.is_fine);
    return answer.reason;
}

TEST_CASE("liveness: a master that goes round is alive") {
    ServiceView view = good_view();
    CHECK(liveness(view).is_fine);
    view.heartbeat_age = 5;
    CHECK(liveness(view).is_fine);
    view.heartbeat_age = 5.1;
    CHECK_FALSE(liveness(view).is_fine);
    CHECK(liveness(view).reason == "the master has not gone round for 5.1 s");
}

TEST_CASE("readiness: one worker that serves is enough") {
    ServiceView view = good_view();
    view.by_state = {1, 1, 0, 0};
    CHECK(readiness(view, {}).is_fine);
    CHECK(readiness(view, {}).reason == "ok: 1 of 2 workers serve");
}

TEST_CASE("readiness: without one, or with the end in sight, it is not ready") {
    ServiceView view = good_view();
    view.by_state = {2, 0, 1, 1};
    CHECK(not_ready(view) == "no worker serves");
    view.state = MasterState::loading;
    CHECK(not_ready(view) == "starting");
    view = good_view();
    view.state = MasterState::stopping;
    CHECK(not_ready(view) == "stopping");
    view.state = MasterState::delaying;
    CHECK(not_ready(view) == "stopping");
    view.state = MasterState::serving;
    view.is_draining = true;
    CHECK(not_ready(view) == "draining");
    CHECK(liveness(view).is_fine);
    view.is_draining = false;
    view.state = MasterState::retired;
    CHECK(not_ready(view) == "the workers have retired");
}

TEST_CASE("readiness: the limits count where they are set, and where the kernel tells") {
    ServiceView view = good_view();
    CHECK(readiness(view, {3, 500ms}).is_fine);
    view.queues = {{"a", 3, 128}, {"b", 1, 128}};
    view.expected_wait = 0.5;
    CHECK(readiness(view, {}).is_fine);
    CHECK(readiness(view, {4, 500ms}).is_fine);
    CHECK(not_ready(view, {3, 0ms}) == "4 connections wait for a worker, more than 3 (--ready-max-queue)");
    view.expected_wait = 0.75;
    CHECK(not_ready(view, {4, 500ms}) == "a connection waits 0.8 s for a worker, more than 0.5 s (--ready-max-wait)");
}

} // namespace
} // namespace cppcorn

#include "server/control/top/snapshot.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/unit/server/control/top/one_status.hpp"

namespace cppcorn::top {
namespace {

TEST_CASE("top: the status that the server writes is read") {
    ServiceView view = good_view();
    view.wanted = 2;
    view.busy = 1;
    view.queues = {{"127.0.0.1:8000", 3, 2048}, {"[::1]:8000", 1, 2048}};
    view.expected_wait = 0.5;
    view.answers = {1, 0, 10, 0, 2, 4};
    view.oldest_request_age = 1.5;
    WorkerView busy = worker_view(3, 42);
    make_busy(busy, "GET /slow HTTP/1.1", 1.5);
    busy.answers = 7;
    busy.errors = 2;
    busy.ends = 1;
    busy.last_cause = EndCause::crash;
    view.workers = {busy, worker_view(4, 43)};
    view.workers[1].usage.reset();

    const Snapshot snapshot = snapshot_of(view);
    CHECK(snapshot.name == "shop");
    CHECK(snapshot.server_version == "1.2.3");
    CHECK(snapshot.master == 99);
    CHECK(snapshot.is_ready);
    CHECK(snapshot.wanted == 2);
    CHECK(snapshot.busy == 1);
    CHECK(snapshot.waiting == 4U);
    CHECK(snapshot.expected_wait == 0.5);
    CHECK(snapshot.answers == 17);
    CHECK(snapshot.errors == 4);
    CHECK(snapshot.oldest_request_age == 1.5);
    REQUIRE(snapshot.workers.size() == 2);
    const Worker& first = snapshot.workers[0];
    CHECK(first.slot == 3);
    CHECK(first.pid == 42);
    CHECK(first.state == "serving");
    CHECK(first.request == "GET /slow HTTP/1.1");
    CHECK(first.client == "192.0.2.1");
    CHECK(first.request_age == 1.5);
    CHECK(first.answers == 7);
    CHECK(first.errors == 2);
    CHECK(first.last_end == "crash");
    CHECK(first.resident_bytes == std::uint64_t{10} << 20);
    CHECK_FALSE(first.p95);
    CHECK_FALSE(snapshot.workers[1].is_busy);
    CHECK_FALSE(snapshot.workers[1].request_age);
    CHECK_FALSE(snapshot.workers[1].resident_bytes);
}

TEST_CASE("top: what clients wrote is made printable where it is read") {
    ServiceView view = good_view();
    view.workers = {worker_view(0, 42)};
    make_busy(view.workers[0], "GET /\x1b[2J\x07 HTTP/1.1", 1);
    CHECK(snapshot_of(view).workers[0].request == "GET /\\x1b[2J\\x07 HTTP/1.1");
}

TEST_CASE("top: a master that does not go round is not ready") {
    ServiceView view = good_view();
    view.heartbeat_age = 30;
    const Snapshot snapshot = snapshot_of(view);
    CHECK_FALSE(snapshot.is_ready);
    CHECK(snapshot.ready_reason == liveness(view).reason);
}

TEST_CASE("top: what is no status is refused by a sentence") {
    CHECK_THROWS_AS(parse_snapshot("", at(0)), SnapshotError);
    CHECK_THROWS_AS(parse_snapshot("{", at(0)), SnapshotError);
    CHECK_THROWS_AS(parse_snapshot("[]", at(0)), SnapshotError);
    CHECK_THROWS_AS(parse_snapshot("{\"version\": 1}", at(0)), SnapshotError);
    auto json = nlohmann::json::parse(status_json(good_view(), shop(), 0));
    json["workers_wanted"] = "many";
    CHECK_THROWS_AS(parse_snapshot(json.dump(), at(0)), SnapshotError);
    json["version"] = status_json_version + 1;
    CHECK_THROWS_WITH(parse_snapshot(json.dump(), at(0)),
                      "the server is of another version, whose status this one cannot read");
}

TEST_CASE("top: rates come from two snapshots") {
    ServiceView view = good_view();
    view.workers = {worker_view(0, 42), worker_view(1, 43)};
    const Snapshot before = snapshot_of(view, 10);
    view.answers[2] += 20;
    view.answers[5] += 4;
    view.workers[0].answers += 20;
    view.workers[0].usage->cpu_seconds += 1;
    view.workers[1].pid = 44; // another one in its place
    Snapshot after = snapshot_of(view, 12);
    add_rates(after, before);
    CHECK(after.answers_per_second == 12.0);
    CHECK(after.errors_per_second == 2.0);
    CHECK(after.workers[0].answers_per_second == 10.0);
    CHECK(after.workers[0].cpu == 0.5);
    CHECK_FALSE(after.workers[1].answers_per_second);
    CHECK_FALSE(after.workers[1].cpu);

    Snapshot of_another_master = snapshot_of(view, 14);
    of_another_master.master = 1;
    add_rates(of_another_master, before);
    CHECK_FALSE(of_another_master.answers_per_second);
    Snapshot at_once = snapshot_of(view, 10);
    add_rates(at_once, before);
    CHECK_FALSE(at_once.answers_per_second);
}

} // namespace
} // namespace cppcorn::top

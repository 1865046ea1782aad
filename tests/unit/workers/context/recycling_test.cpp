#include "workers/context/recycling.hpp"

#include <set>
#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime start{1h};
constexpr std::uint64_t more_than_any_process = std::uint64_t{1} << 60;

// The number of requests at which a worker with this dice asks to be replaced.
std::uint64_t requests_until_reason(const WorkerSettings& settings, std::uint64_t dice) {
    Recycling recycling(settings, start, dice);
    for (std::uint64_t requests = 1; requests < 100; ++requests) {
        if (recycling.poll_reason(requests, start)) return requests;
    }
    return 0;
}

} // namespace

TEST_CASE("Recycling: without limits there is never a reason") {
    Recycling recycling(WorkerSettings{}, start, 4711);
    CHECK_FALSE(recycling.poll_reason(std::uint64_t{1} << 62, start + 100'000h).has_value());
    CHECK(recycling.due() == SteadyTime::max());
}

TEST_CASE("Recycling: the number of requests is a reason when it is reached") {
    WorkerSettings settings;
    settings.max_requests = 10;
    Recycling recycling(settings, start, 0);
    CHECK_FALSE(recycling.poll_reason(9, start + 1000h).has_value());
    CHECK(recycling.poll_reason(10, start) == "it has served --max-requests");
}

TEST_CASE("Recycling: several requests may pass between two looks") {
    WorkerSettings settings;
    settings.max_requests = 10;
    Recycling recycling(settings, start, 0);
    CHECK(recycling.poll_reason(250, start).has_value());
}

TEST_CASE("Recycling: the jitter spreads the number over its whole range and no further") {
    WorkerSettings settings;
    settings.max_requests = 10;
    settings.max_requests_jitter = 3;
    std::set<std::uint64_t> limits;
    for (std::uint64_t dice = 0; dice < 100; ++dice) limits.insert(requests_until_reason(settings, dice));
    CHECK(limits == std::set<std::uint64_t>{10, 11, 12, 13});
}

TEST_CASE("Recycling: jitter without a number of requests is no limit") {
    WorkerSettings settings;
    settings.max_requests_jitter = 3;
    CHECK(requests_until_reason(settings, 1) == 0);
}

TEST_CASE("Recycling: memory above the limit is a reason, below it is none") {
    WorkerSettings settings;
    settings.max_memory = 1;
    CHECK(Recycling(settings, start, 0).poll_reason(1, start) == "its memory is above --max-memory");
    settings.max_memory = more_than_any_process;
    CHECK_FALSE(Recycling(settings, start, 0).poll_reason(1, start).has_value());
}

TEST_CASE("Recycling: time is a reason when it is over, which due() tells beforehand") {
    WorkerSettings settings;
    settings.max_worker_lifetime = 90s;
    Recycling recycling(settings, start, 0);
    CHECK(recycling.due() == start + 90s);
    CHECK_FALSE(recycling.poll_reason(0, start + 90s - 1ns).has_value());
    CHECK(recycling.due() == start + 90s);
    CHECK(recycling.poll_reason(0, start + 90s) == "it has lived --max-worker-lifetime");
}

TEST_CASE("Recycling: a reason is given once, whatever else comes to pass") {
    WorkerSettings settings;
    settings.max_requests = 10;
    settings.max_memory = 1;
    settings.max_worker_lifetime = 90s;
    Recycling recycling(settings, start, 0);
    REQUIRE(recycling.poll_reason(1, start).has_value());
    CHECK_FALSE(recycling.poll_reason(1, start).has_value());
    CHECK_FALSE(recycling.poll_reason(10, start).has_value());
    CHECK_FALSE(recycling.poll_reason(11, start + 90s).has_value());
    // Or the worker's loop would wake up for it again and again.
    CHECK(recycling.due() == SteadyTime::max());
}

TEST_CASE("resident_memory: follows what the process takes") {
    const std::uint64_t before = resident_memory();
    CHECK(before > 100'000);
    constexpr std::size_t size = 32 * 1024 * 1024;
    const std::string taken(size, 'x');
    const std::uint64_t after = resident_memory();
    CHECK(taken.back() == 'x');
    CHECK(after > before + size / 2);
    CHECK(after < before + size * 2);
}

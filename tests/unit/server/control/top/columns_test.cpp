#include "server/control/top/columns.hpp"

#include <algorithm>
#include <set>

#include "server/control/top/keys.hpp"
#include "tests/catch.hpp"

namespace cppcorn::top {
namespace {

std::vector<std::string> titles(const std::vector<Fitted>& shown) {
    std::vector<std::string> names;
    for (const auto& each : shown) names.emplace_back(each.column->title);
    return names;
}

std::vector<int> slots_by(char key, std::vector<Worker> workers, bool is_reversed = false) {
    sort_workers(workers, *column_sorted_by(key), is_reversed);
    std::vector<int> slots;
    for (const auto& worker : workers) slots.push_back(worker.slot);
    return slots;
}

TEST_CASE("top: the columns that are shown fill the terminal") {
    for (std::size_t width = 40; width < 300; ++width) {
        std::size_t used = 0;
        for (const auto& each : fit_columns(width)) used += each.width + (used > 0 ? 1 : 0);
        CHECK(used == width);
    }
    CHECK(fit_columns(300).size() == columns().size());
}

TEST_CASE("top: a narrow terminal leaves out what matters least") {
    CHECK(titles(fit_columns(80)) ==
          std::vector<std::string>{"SLOT", "PID", "STATE", "BUSY", "REQUEST", "REQS", "ERRS", "P95"});
    CHECK(titles(fit_columns(10)) == std::vector<std::string>{"SLOT", "BUSY", "REQUEST"});
    std::size_t before = 0;
    for (std::size_t width = 10; width < 300; ++width) {
        const std::size_t count = fit_columns(width).size();
        CHECK(count >= before);
        before = count;
    }
}

TEST_CASE("top: workers are sorted by what a column shows, heaviest first") {
    std::vector<Worker> workers(3);
    for (std::size_t i = 0; i < 3; ++i) workers[i].slot = static_cast<int>(i);
    workers[1].is_busy = true;
    workers[1].request_age = 5;
    workers[2].is_busy = true;
    workers[2].request_age = 9;
    workers[0].errors = 1;
    workers[0].p95 = 0.1;
    CHECK(slots_by('S', {workers[2], workers[0], workers[1]}) == std::vector{0, 1, 2});
    CHECK(slots_by('S', workers, true) == std::vector{2, 1, 0});
    CHECK(slots_by('B', workers) == std::vector{2, 1, 0});
    CHECK(slots_by('E', workers) == std::vector{0, 1, 2});
    CHECK(slots_by('E', workers, true) == std::vector{2, 1, 0});
    CHECK(slots_by('P', workers) == std::vector{0, 1, 2});
    for (const auto& column : columns()) {
        CHECK((column.key == 0) == (column.weight == nullptr));
        if (column.key != 0) CHECK(slots_by(column.key, workers).size() == 3);
    }
}

TEST_CASE("top: no key has two meanings") {
    std::set<int> seen;
    for (const auto& row : keys()) CHECK(seen.insert(row.key).second);
    for (const auto& column : columns()) {
        if (column.key != 0) CHECK(seen.insert(column.key).second);
    }
    CHECK(seen.count('y') == 0);
    CHECK(column_sorted_by('q') == nullptr);
    CHECK(column_sorted_by(0) == nullptr);
    CHECK(command_of('q') == Command::quit);
    CHECK(command_of('x') == Command::none);
    CHECK(command_of(key_none) == Command::none);
}

TEST_CASE("top: what a column says of a worker") {
    const auto shown = [](const char* title, const Worker& worker) {
        const auto found = std::find_if(columns().begin(), columns().end(),
                                        [&](const Column& column) { return std::string(column.title) == title; });
        return found->text(worker);
    };
    Worker worker;
    CHECK(shown("REQUEST", worker) == "idle");
    CHECK(shown("BUSY", worker).empty());
    CHECK(shown("LAST END", worker).empty());
    CHECK(shown("MEM", worker) == "-");
    worker.is_busy = true; // and the request not readable just now
    CHECK(shown("REQUEST", worker) == "busy");
    CHECK(shown("BUSY", worker) == "-");
    worker.request = "GET / HTTP/1.1";
    worker.request_age = 2;
    CHECK(shown("REQUEST", worker) == "GET / HTTP/1.1");
    CHECK(shown("BUSY", worker) == "2.0s");
}

} // namespace
} // namespace cppcorn::top

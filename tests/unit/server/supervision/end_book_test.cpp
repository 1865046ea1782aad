#include "server/supervision/end_book.hpp"

#include <algorithm>
#include <string>

#include "tests/catch.hpp"
#include "tests/unit/interrupted_read.hpp"

namespace cppcorn {
namespace {

WorkerEnd end_of(pid_t pid, EndCause cause = EndCause::crash) {
    WorkerEnd end;
    end.time = 1000 + pid;
    end.pid = pid;
    end.slot = 3;
    end.cause = cause;
    end.how = "was sent SIGSEGV";
    end.request = "GET /" + std::string(20, static_cast<char>('a' + pid % 26));
    return end;
}

TEST_CASE("EndBook: the latest come first, and the oldest are forgotten") {
    EndBook book{};
    CHECK(book.all().empty());
    for (int pid = 1; pid <= 20; ++pid) book.add(end_of(pid));
    const auto ends = book.all();
    REQUIRE(ends.size() == EndBook::most_others);
    CHECK(ends.front().pid == 20);
    CHECK(ends.front().time == 1020);
    CHECK(ends.front().slot == 3);
    CHECK(ends.front().cause == EndCause::crash);
    CHECK(ends.front().how == "was sent SIGSEGV");
    CHECK(ends.back().pid == 21 - static_cast<pid_t>(EndBook::most_others));
}

TEST_CASE("EndBook: a reload, however many workers it replaces, leaves the crash before it in the book") {
    EndBook book{};
    book.add(end_of(1));
    for (int pid = 2; pid <= 50; ++pid) book.add(end_of(pid, EndCause::retired));
    book.add(end_of(51, EndCause::killed));
    book.add_report(1, "a stack");
    const auto ends = book.all();
    REQUIRE(ends.size() == EndBook::most_retired + 2);
    CHECK(ends.front().pid == 51);
    CHECK(ends[1].pid == 50);
    CHECK(ends.back().pid == 1);
    CHECK(ends.back().report == "a stack");
}

TEST_CASE("EndBook: a report is added once it is there, and cut to what fits") {
    EndBook book{};
    book.add(end_of(7));
    book.add(end_of(8));
    book.add_report(7, "a stack");
    book.add_report(9, "nobody's");
    CHECK(book.all()[0].report.empty());
    CHECK(book.all()[1].report == "a stack");
    book.add_report(8, std::string(10'000, 'x'));
    CHECK(book.all()[0].report == std::string(EndBook::longest_report - 1, 'x'));
}

TEST_CASE("EndBook: texts are cut to what fits") {
    EndBook book{};
    WorkerEnd end = end_of(1);
    end.request = std::string(1000, 'r');
    end.how = std::string(1000, 'h');
    end.client = std::string(1000, 'c');
    end.request_id = std::string(1000, 'i');
    book.add(end);
    CHECK(book.all()[0].request.size() == 173);
    CHECK(book.all()[0].how.size() == 39);
    CHECK(book.all()[0].client.size() == 45);
    CHECK(book.all()[0].request_id == std::string(200, 'i'));
}

TEST_CASE("EndBook: a cause that there is not, as a worker may leave it that has run wild, is none") {
    EndBook book{};
    EndBook other{};
    WorkerEnd end = end_of(1);
    book.add(end);
    end.cause = EndCause::grace;
    other.add(end);
    auto* const bytes = reinterpret_cast<unsigned char*>(&book);
    const auto place = std::mismatch(bytes, bytes + sizeof book, reinterpret_cast<unsigned char*>(&other)).first;
    REQUIRE(*place == static_cast<unsigned char>(EndCause::crash));
    *place = 200;
    REQUIRE(book.all().size() == 1);
    CHECK(static_cast<std::size_t>(book.all()[0].cause) < end_cause_count);
}

TEST_CASE("EndBook: a record that is written while it is read comes whole") {
    constexpr std::size_t within_report = 1024;
    const auto with_report = [](pid_t pid) {
        WorkerEnd end = end_of(pid);
        end.report = std::string(2000, 'r') + std::to_string(pid);
        return end;
    };
    constexpr auto last = static_cast<pid_t>(1 + EndBook::most_others);
    InterruptedRead<EndBook> memory(within_report);
    EndBook& book = memory.object();
    book.add(with_report(1));
    // As many as take all places, so that the last one has its.
    memory.then([&] {
        for (pid_t pid = 2; pid <= last; ++pid) book.add(with_report(pid));
    });
    const auto ends = book.all();
    REQUIRE(memory.was_touched());
    REQUIRE(ends.size() == EndBook::most_others);
    CHECK(ends[0].pid == last);
    CHECK(ends[0].report == with_report(ends[0].pid).report);
    CHECK(ends[0].request == with_report(ends[0].pid).request);
}

} // namespace
} // namespace cppcorn

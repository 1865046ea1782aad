#include "workers/transport/spool.hpp"

#include <memory>
#include <string>

#include <spdlog/spdlog.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "workers/transport/spool_file.hpp"

using namespace cppcorn;

namespace {

struct Silence {
    Silence() { spdlog::set_level(spdlog::level::off); }
    ~Silence() { spdlog::set_level(level); }
    const spdlog::level::level_enum level = spdlog::get_level();
};

std::string content_of(const SpoolFile& file) {
    std::string content(file.size(), '\0');
    std::size_t at = 0;
    while (at < content.size()) {
        const auto got = file.read(content.data() + at, content.size() - at, at);
        REQUIRE(got > 0);
        at += static_cast<std::size_t>(got);
    }
    return content;
}

} // namespace

TEST_CASE("Spool: what is taken and given back adds up, and no more is taken than there is") {
    Spool spool("/nowhere", 100);
    Spool::Share one(spool, 0);
    {
        Spool::Share two(spool, 0);
        CHECK(one.take(60));
        CHECK(two.take(40));
        CHECK(spool.used() == 100);
        CHECK_FALSE(one.has_room(1));
        CHECK_FALSE(two.take(1));
        CHECK(spool.used() == 100);
        CHECK_FALSE(spool.take_news_of_room());
    }
    CHECK(spool.used() == 60);
    CHECK(spool.take_news_of_room());
    CHECK_FALSE(spool.take_news_of_room());
    one.give_back(10);
    CHECK(spool.used() == 50);
}

TEST_CASE("Spool: what the oldest body needs to its end is kept for it") {
    Spool spool("/nowhere", 1000);
    auto first = std::make_unique<Spool::Share>(spool, 900);
    Spool::Share second(spool, 900);
    Spool::Share response(spool, 0);
    CHECK(first->take(400));
    CHECK(second.take(100));
    CHECK_FALSE(second.has_room(1));
    CHECK_FALSE(response.has_room(1));
    CHECK(first->take(500));
    first.reset(); // it was read
    CHECK(spool.used() == 100);
    CHECK_FALSE(response.has_room(101)); // it is the second one's turn
    CHECK(second.take(800));
    CHECK(response.take(100));
}

TEST_CASE("Spool: in memory there is less room") {
    Spool spool("/nowhere", 1000, 100);
    Spool::Share share(spool, 500);
    CHECK(share.take(90));
    CHECK(share.move_to_memory());
    CHECK(spool.used() == 0);
    CHECK(spool.used_memory() == 90);
    CHECK_FALSE(share.take(11));
    CHECK(share.take(10));
    Spool::Share other(spool, 0);
    CHECK(other.take(1));
    CHECK_FALSE(other.move_to_memory());
}

TEST_CASE("Spool: a failure is told once a minute") {
    Spool spool("/nowhere", 1);
    const SteadyTime now = SteadyClock::now();
    CHECK(spool.note_failure(now));
    CHECK_FALSE(spool.note_failure(now + std::chrono::seconds(59)));
    CHECK(spool.note_failure(now + std::chrono::seconds(60)));
}

TEST_CASE("SpoolFile: keeps what is appended, without a name in the directory") {
    const TemporaryFolder folder;
    Spool spool(folder.path(), 1000);
    spool.lacks_unnamed_files = GENERATE(false, true);
    const auto file = SpoolFile::open(spool);
    REQUIRE(file);
    CHECK(file->append("one ", "two ") == SpoolFile::Result::done);
    CHECK(file->append("three") == SpoolFile::Result::done);
    CHECK(content_of(*file) == "one two three");
    CHECK(file->append(std::string(1000, 'x')) == SpoolFile::Result::no_room);
    CHECK(content_of(*file) == "one two three");
    CHECK_FALSE(file->in_memory());
    CHECK(std::filesystem::is_empty(folder.path()));
    char byte;
    CHECK(file->read(&byte, 1, file->size()) == 0);
}

TEST_CASE("SpoolFile: where no file can be made, it is in memory") {
    const Silence silence;
    Spool spool("/nowhere", 1000, 10);
    const auto file = SpoolFile::open(spool);
    REQUIRE(file);
    CHECK(file->in_memory());
    CHECK(file->append("12345") == SpoolFile::Result::done);
    CHECK(file->append("123456") == SpoolFile::Result::failed);
    CHECK(content_of(*file) == "12345");
}

TEST_CASE("SpoolFile: where there is no spool, there is none") {
    const TemporaryFolder folder;
    Spool spool(folder.path(), 0);
    CHECK(SpoolFile::open(spool) == nullptr);
}

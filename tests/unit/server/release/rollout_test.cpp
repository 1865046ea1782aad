#include "server/release/rollout.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using enum RolloutCommand;
using Commands = Rollout::Commands;

std::shared_ptr<Release> release() {
    return std::make_shared<Release>();
}

// With a socket that listens, so that it can be seen when it is closed.
std::shared_ptr<Release> listening_release() {
    auto made = release();
    Settings settings;
    settings.binds = {"127.0.0.1:0"};
    made->listeners = open_listeners(settings, {});
    return made;
}

// A rollout whose first release is in use.
struct Running {
    std::shared_ptr<Release> first = release();
    Rollout rollout{first};

    Running() {
        rollout.start();
        rollout.bound(first);
        rollout.passed();
        rollout.adopted();
        rollout.settled();
    }

    // Reloads as far as the adoption.
    std::shared_ptr<Release> adopt(std::shared_ptr<Release> next = release()) {
        rollout.begin();
        rollout.bound(next);
        rollout.passed();
        rollout.adopted();
        return next;
    }
};

// A release with a mold, as far as the master can tell.
std::shared_ptr<Release> molded_release() {
    auto made = release();
    made->mold = std::make_shared<Mold>(0, ServerFd(), SharedArray<CrashRecord>(1), std::nullopt);
    return made;
}

bool forgotten(const std::weak_ptr<Release>& release) {
    return release.expired();
}

TEST_CASE("Rollout: the first release is tried, then adopted") {
    const auto first = release();
    Rollout rollout(first);
    CHECK(rollout.current() == first);
    CHECK_FALSE(rollout.has_adopted());
    CHECK(rollout.start() == Commands{bind});
    CHECK(rollout.is_under_way());
    CHECK(rollout.bound(first) == Commands{probe});
    CHECK(rollout.candidate() == first);
    CHECK(rollout.passed() == Commands{adopt});
    CHECK(rollout.adopted().empty());
    CHECK(rollout.has_adopted());
    CHECK(rollout.candidate() == nullptr);
    CHECK_FALSE(rollout.unsettled()); // there is nothing to go back to
    CHECK(rollout.newest_generation() == 1);
    CHECK(rollout.release_of(1) == first);
}

TEST_CASE("Rollout: without a release that loads there is nothing to serve") {
    Rollout rollout(release());
    rollout.start();
    CHECK(rollout.failed() == Commands{give_up});
    CHECK(rollout.current() != nullptr); // its settings still say where the logs are
}

TEST_CASE("Rollout: a reload is bound, tried, adopted, and settles") {
    Running master;
    Rollout& rollout = master.rollout;
    CHECK(rollout.begin() == Commands{bind});
    const auto next = release();
    CHECK(rollout.bound(next) == Commands{probe});
    CHECK(rollout.current() == master.first);
    CHECK(rollout.passed() == Commands{adopt});
    CHECK(rollout.adopted().empty());
    CHECK(rollout.current() == next);
    CHECK(rollout.unsettled());
    CHECK(rollout.newest_generation() == 2);
    rollout.settled();
    CHECK_FALSE(rollout.unsettled());
    CHECK(rollout.current() == next);
}

TEST_CASE("Rollout: a reload that cannot be bound, loaded or adopted keeps what there is") {
    Running master;
    Rollout& rollout = master.rollout;
    rollout.begin();
    SECTION("not bound") {}
    SECTION("not loaded") {
        rollout.bound(release());
    }
    SECTION("not adopted") {
        rollout.bound(release());
        rollout.passed();
    }
    CHECK(rollout.failed() == Commands{keep});
    CHECK(rollout.current() == master.first);
    CHECK(rollout.candidate() == nullptr);
    CHECK_FALSE(rollout.unsettled());
    CHECK(rollout.newest_generation() == 1);
    CHECK(rollout.begin() == Commands{bind}); // and the next one is as good as ever
}

TEST_CASE("Rollout: a reload that comes while one waits for an address is bound in its place") {
    Running master;
    Rollout& rollout = master.rollout;
    CHECK_FALSE(rollout.is_under_way());
    CHECK(rollout.begin() == Commands{bind});
    CHECK(rollout.is_under_way());
    CHECK(rollout.begin() == Commands{bind});
    rollout.bound(release());
    CHECK(rollout.passed() == Commands{adopt});
    CHECK(rollout.adopted().empty()); // none was queued
    CHECK_FALSE(rollout.is_under_way());
}

TEST_CASE("Rollout: a reload that comes while the first release waits for its address follows that") {
    const auto first = release();
    Rollout rollout(first);
    rollout.start();
    CHECK(rollout.begin().empty());
    rollout.bound(first);
    rollout.passed();
    CHECK(rollout.adopted() == Commands{bind});
    CHECK(rollout.is_under_way());
    rollout.stop();
    CHECK_FALSE(rollout.is_under_way());
}

TEST_CASE("Rollout: reloads that come during a probe become one, once its fate is known") {
    Running master;
    Rollout& rollout = master.rollout;
    rollout.begin();
    rollout.bound(release());
    CHECK(rollout.begin().empty());
    CHECK(rollout.begin().empty());
    SECTION("it fails") {
        CHECK(rollout.failed() == Commands{keep, bind});
    }
    SECTION("it loads") {
        rollout.passed();
        CHECK(rollout.adopted() == Commands{bind});
    }
    SECTION("it loads and cannot be adopted") {
        rollout.passed();
        CHECK(rollout.failed() == Commands{keep, bind});
    }
    rollout.bound(release());
    CHECK(rollout.failed() == Commands{keep});
}

TEST_CASE("Rollout: a rejected release is closed before the queued one is bound") {
    Running master;
    Rollout& rollout = master.rollout;
    rollout.begin();
    auto rejected = release();
    const std::weak_ptr<Release> watched = rejected;
    rollout.bound(std::move(rejected));
    rollout.begin();
    CHECK_FALSE(forgotten(watched));
    CHECK(rollout.failed() == Commands{keep, bind});
    CHECK(forgotten(watched));
}

TEST_CASE("Rollout: a reload during the first probe waits, and is lost with it") {
    const auto first = release();
    Rollout rollout(first);
    rollout.start();
    rollout.bound(first);
    CHECK(rollout.begin().empty());
    SECTION("it loads") {
        rollout.passed();
        CHECK(rollout.adopted() == Commands{bind});
    }
    SECTION("it fails") {
        CHECK(rollout.failed() == Commands{give_up});
    }
}

TEST_CASE("Rollout: workers that cannot start bring back the release before") {
    Running master;
    const auto next = master.adopt();
    CHECK(master.rollout.hopeless() == Commands{roll_back});
    CHECK(master.rollout.current() == master.first);
    CHECK_FALSE(master.rollout.unsettled());
    CHECK(master.rollout.release_of(1) == master.first);
}

TEST_CASE("Rollout: with nothing to go back to, it gives up") {
    Running master;
    CHECK(master.rollout.hopeless() == Commands{give_up});
    master.adopt();
    master.rollout.settled();
    CHECK(master.rollout.hopeless() == Commands{give_up});
}

TEST_CASE("Rollout: after several reloads of which none has settled, it goes back to the one that had") {
    Running master;
    const auto second = master.adopt();
    const auto third = master.adopt();
    CHECK(master.rollout.current() == third);
    CHECK(master.rollout.hopeless() == Commands{roll_back});
    CHECK(master.rollout.current() == master.first);
}

TEST_CASE("Rollout: hopeless while the next release is being tried") {
    Running master;
    Rollout& rollout = master.rollout;
    master.adopt();
    rollout.begin();
    const auto third = release();
    rollout.bound(third);
    CHECK(rollout.hopeless() == Commands{roll_back});
    CHECK(rollout.candidate() == third);
    CHECK(rollout.passed() == Commands{adopt});
    rollout.adopted();
    CHECK(rollout.current() == third);
    CHECK(rollout.hopeless() == Commands{roll_back});
    CHECK(rollout.current() == master.first);
}

TEST_CASE("Rollout: no generation comes twice") {
    Running master;
    const auto second = master.adopt();
    master.rollout.hopeless();
    const auto third = master.adopt();
    CHECK(master.rollout.newest_generation() == 3);
    CHECK(master.rollout.release_of(2) == second); // of workers that are still on their way out
    CHECK(master.rollout.release_of(3) == third);
}

TEST_CASE("Rollout: the release of old workers is known until the last of them has gone") {
    Running master;
    const auto next = master.adopt();
    master.rollout.settled();
    CHECK(master.rollout.release_of(1) == master.first);
    master.rollout.forget_unused([](unsigned generation) { return generation == 1; });
    CHECK(master.rollout.release_of(1) == master.first);
    CHECK(master.rollout.releases().size() == 2);
    master.rollout.forget_unused([](unsigned) { return false; });
    CHECK(master.rollout.release_of(1) == nullptr);
    CHECK(master.rollout.release_of(2) == next);
}

TEST_CASE("Rollout: the releases are known whose logs are open, though no worker runs them yet") {
    const auto first = release();
    Rollout rollout(first);
    rollout.start();
    CHECK(rollout.releases() == std::vector{first});
    rollout.bound(first);
    rollout.passed();
    rollout.adopted();
    rollout.begin();
    const auto next = release();
    rollout.bound(next);
    CHECK(rollout.releases() == std::vector{first, next});
    rollout.failed();
    CHECK(rollout.releases() == std::vector{first});
}

TEST_CASE("Rollout: what is needed to go back is kept, even without workers") {
    Running master;
    master.adopt();
    master.rollout.forget_unused([](unsigned) { return false; });
    CHECK(master.rollout.hopeless() == Commands{roll_back});
    CHECK(master.rollout.current() == master.first);
    master.rollout.forget_unused([](unsigned) { return false; });
    CHECK(master.rollout.releases().size() == 1);
}

TEST_CASE("Rollout: old addresses are given up when there is no way back, though old workers remain") {
    Running master;
    const auto second = master.adopt(listening_release());
    master.rollout.settled();
    CHECK(second->listeners.size() == 1);
    const auto third = master.adopt();
    CHECK(second->listeners.size() == 1); // it may be needed again
    SECTION("settled") {
        master.rollout.settled();
        CHECK(second->listeners.empty());
        CHECK(master.rollout.release_of(2) == second);
    }
    SECTION("rolled back") {
        master.rollout.hopeless();
        CHECK(second->listeners.size() == 1);
    }
}

TEST_CASE("Rollout: the addresses of a release that was rolled back are given up") {
    Running master;
    const auto second = master.adopt(listening_release());
    master.rollout.hopeless();
    CHECK(second->listeners.empty());
}

TEST_CASE("Rollout: TERM during a probe ends that, and what was queued") {
    Running master;
    Rollout& rollout = master.rollout;
    rollout.begin();
    rollout.bound(listening_release());
    rollout.begin();
    const std::weak_ptr<Release> watched = rollout.candidate();
    rollout.stop();
    CHECK(forgotten(watched));
    CHECK(rollout.candidate() == nullptr);
    CHECK(rollout.current() == master.first);
}

TEST_CASE("Rollout: TERM closes what listens, but not the logs of the workers that remain") {
    Running master;
    const auto second = master.adopt(listening_release());
    const auto third = master.adopt(listening_release());
    master.rollout.stop();
    CHECK(second->listeners.empty());
    CHECK(third->listeners.empty());
    CHECK(master.rollout.release_of(2) == second);
}

TEST_CASE("Rollout: a mold stays until nobody goes back to its release") {
    Running running;
    const auto second = running.adopt(molded_release());
    running.rollout.settled();
    const auto third = running.adopt(molded_release());
    CHECK(second->mold != nullptr);
    SECTION("the newest has settled") {
        running.rollout.settled();
        CHECK(second->mold == nullptr);
        CHECK(third->mold != nullptr);
    }
    SECTION("the newest cannot start") {
        running.rollout.hopeless();
        CHECK(second->mold != nullptr);
        CHECK(third->mold == nullptr);
    }
    SECTION("the service ends") {
        running.rollout.stop();
        CHECK(second->mold == nullptr);
        CHECK(third->mold == nullptr);
    }
}

} // namespace
} // namespace cppcorn

// Each order in which the steps of a worker and its understudy can follow one another, tried on a token.
#include "workers/handover/token.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using namespace cppcorn;

namespace {

// A program has come to the end of the steps that it may take.
struct Pause {};

// One of the two. Its program is run again from the beginning for each further step: what the earlier steps have brought
// is known, and with that it comes to where it was.
struct Party {
    std::vector<std::uint64_t> brought;
    std::size_t at = 0;
    bool may_step = false;
    bool is_inside = false; // it has the connections
    bool is_done = false;
    bool waits = false; // until the other has taken a step
};

Party* running = nullptr;

// A word, each use of which is a step.
template <class Word>
struct Stepped {
    template <class Do>
    std::uint64_t step(Do&& make) const {
        Party& party = *running;
        if (party.at == party.brought.size()) {
            if (!std::exchange(party.may_step, false)) throw Pause{};
            party.waits = false;
            party.brought.push_back(make());
        }
        return party.brought[party.at++];
    }
    Word load(std::memory_order) const {
        return step([this] { return value; });
    }
    void store(Word wanted, std::memory_order) {
        step([&] { return value = wanted; });
    }
    bool compare_exchange_strong(Word& expected, Word wanted, std::memory_order) {
        const Word seen = step([&] { return value == expected ? std::exchange(value, wanted) : value; });
        return std::exchange(expected, seen) == seen;
    }
    Word fetch_and(Word mask, std::memory_order) {
        return step([&] { return std::exchange(value, value & mask); });
    }

    Word value = 0;
};

using SteppedToken = BasicToken<Stepped>;

// What a token must not be: it is looked at first, and taken afterwards.
class CarelessToken {
  public:
    using Call = std::uint64_t;
    void lend() { word_.store(1, {}); }
    void lend_again() { lend(); }
    bool take_back() {
        if (word_.load({}) == 2) return false;
        word_.store(0, {});
        return true;
    }
    void seize() { word_.store(0, {}); }
    Call call() const { return 1; }
    bool take(Call) {
        if (word_.load({}) != 1) return false;
        word_.store(2, {});
        return true;
    }
    void give() { word_.store(1, {}); }

  private:
    Stepped<std::uint64_t> word_;
};

template <class Token>
struct World {
    Token token;
    Stepped<int> work; // by whoever is inside
    Party worker;
    Party understudy;
    bool may_die = false; // the understudy, wherever it is
    bool is_dead = false;
};

template <class Token>
void work_inside(World<Token>& world) {
    running->is_inside = true;
    world.work.load({});
}

template <class Token>
void take_back(World<Token>& world) {
    while (!world.token.take_back()) {
        if (world.is_dead) return world.token.seize();
        running->waits = true;
    }
}

// The worker: so many calls of the app, in each of which it sends something.
template <class Token>
void call_app(World<Token>& world, int calls) {
    for (int i = 0; i < calls; ++i) {
        work_inside(world);
        running->is_inside = false;
        world.token.lend();
        take_back(world);
        work_inside(world);
        running->is_inside = false;
        world.token.lend_again();
        take_back(world);
    }
    work_inside(world);
}

// The understudy: so many looks, at the call that was the worker's when it was rung.
template <class Token>
void look(World<Token>& world, int times, int looks_at_one_call) {
    typename Token::Call call{};
    for (int i = 0; i < times; ++i) {
        if (i % looks_at_one_call == 0) call = world.token.call();
        if (!world.token.take(call)) continue;
        work_inside(world);
        running->is_inside = false;
        world.token.give();
    }
}

template <class Program>
void take_step(Party& party, Program&& program) {
    party.at = 0;
    party.may_step = true;
    running = &party;
    try {
        program();
        party.is_done = true;
    } catch (const Pause&) {
    }
}

struct Findings {
    long schedules = 0;
    long both_inside = 0;
    long stuck = 0;
};

struct Length {
    int calls;
    int looks;
    int looks_at_one_call;
};

template <class Token>
void try_all(const World<Token>& world, Length length, Findings& findings) {
    if (world.worker.is_inside && world.understudy.is_inside && !world.is_dead) ++findings.both_inside;
    if (findings.both_inside > 0) return;
    const bool worker_can = !world.worker.is_done && (!world.worker.waits || world.is_dead);
    const bool understudy_can = !world.understudy.is_done && !world.is_dead;
    if (worker_can) {
        World<Token> next = world;
        take_step(next.worker, [&] { call_app(next, length.calls); });
        try_all(next, length, findings);
    }
    if (understudy_can) {
        World<Token> next = world;
        take_step(next.understudy, [&] { look(next, length.looks, length.looks_at_one_call); });
        next.worker.waits = false;
        try_all(next, length, findings);
    }
    if (understudy_can && world.may_die) {
        World<Token> next = world;
        next.is_dead = true;
        try_all(next, length, findings);
    }
    if (worker_can || understudy_can) return;
    ++findings.schedules;
    if (!world.worker.is_done) ++findings.stuck;
}

template <class Token>
Findings try_all(Length length, bool may_die = false) {
    World<Token> world;
    world.worker.is_inside = true;
    world.may_die = may_die;
    Findings findings;
    try_all(world, length, findings);
    return findings;
}

} // namespace

TEST_CASE("a token is never with both") {
    const Length lengths[] = {{1, 1, 1}, {1, 3, 3}, {2, 1, 1}, {2, 2, 1}, {2, 2, 2}, {3, 1, 1}};
    for (const Length length : lengths) {
        CAPTURE(length.calls, length.looks, length.looks_at_one_call);
        const Findings findings = try_all<SteppedToken>(length);
        CHECK(findings.schedules > 10);
        CHECK(findings.both_inside == 0);
        CHECK(findings.stuck == 0);
    }
}

TEST_CASE("a token comes back from an understudy that dies with it") {
    for (const Length length : {Length{1, 1, 1}, Length{2, 2, 1}, Length{2, 2, 2}}) {
        const Findings findings = try_all<SteppedToken>(length, true);
        CHECK(findings.both_inside == 0);
        CHECK(findings.stuck == 0);
    }
}

TEST_CASE("a token that is looked at before it is taken is found out") {
    CHECK(try_all<CarelessToken>({1, 1, 1}).both_inside > 0);
}

TEST_CASE("a token of an earlier call cannot be taken") {
    Token token{};
    const auto before = token.call();
    CHECK_FALSE(token.take(before)); // it was never lent
    token.lend();
    CHECK_FALSE(token.take(before));
    const auto first = token.call();
    REQUIRE(token.take(first));
    CHECK_FALSE(token.take(first));
    CHECK_FALSE(token.take_back());
    token.give();
    REQUIRE(token.take_back());
    CHECK(token.take_back()); // the worker has it already
    CHECK_FALSE(token.take(first));
    token.lend_again();
    REQUIRE(token.take(first)); // it is the same
    token.give();
    REQUIRE(token.take_back());
    token.lend();
    CHECK_FALSE(token.take(first));
    CHECK(token.take(token.call()));
    token.seize();
    token.give(); // it comes too late, of one that was taken for dead
    CHECK(token.take_back());
    CHECK_FALSE(token.take(token.call()));
}

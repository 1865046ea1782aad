#include "server/supervision/order_book.hpp"

#include <memory>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

constexpr std::uint64_t master = 4711;

// As in fresh memory.
std::unique_ptr<OrderBook> fresh_book() {
    auto book = std::make_unique<OrderBook>();
    book->begin(master);
    return book;
}

TEST_CASE("order book: an order waits until the master notes what it does") {
    const auto book = fresh_book();
    const auto number = book->take_number();
    REQUIRE(number);
    CHECK(*number > master * OrderBook::numbers_of_master);
    REQUIRE(book->find(*number));
    CHECK(book->find(*number)->state == OrderState::waiting);
    book->note({*number, OrderState::running, 0, ""});
    CHECK(book->find(*number)->state == OrderState::running);
    book->note({*number, OrderState::failed, 12, "No worker has slot 7"});
    const auto outcome = book->find(*number);
    CHECK(outcome->number == *number);
    CHECK(outcome->state == OrderState::failed);
    CHECK(outcome->code == 12);
    CHECK(outcome->text == "No worker has slot 7");
}

TEST_CASE("order book: what nobody took, or another master's, is not there") {
    const auto book = fresh_book();
    const std::uint64_t first = *book->take_number();
    CHECK_FALSE(book->find(0));
    CHECK_FALSE(book->find(1));
    CHECK_FALSE(book->find(first - 1));
    CHECK_FALSE(book->find(first + 1));
    CHECK_FALSE(book->find(first - OrderBook::numbers_of_master));
    CHECK_FALSE(book->find(~std::uint64_t{0}));
}

TEST_CASE("order book: the last ones are remembered, and one that runs is not written over") {
    const auto book = fresh_book();
    const std::uint64_t first = *book->take_number();
    book->note({first, OrderState::running, 0, ""});
    for (std::size_t i = 1; i < OrderBook::most; ++i) {
        const auto number = book->take_number();
        REQUIRE(number);
        book->note({*number, OrderState::done, 0, std::to_string(*number)});
    }
    CHECK(book->take_number() == first + OrderBook::most + 1);
    CHECK(book->find(first)->state == OrderState::running);
    book->note({first + OrderBook::most + 1, OrderState::done, 0, ""});
    CHECK_FALSE(book->find(first + 1));
    CHECK(book->find(first + 2)->text == std::to_string(first + 2));
    book->note({first, OrderState::done, 0, "at last"});
    CHECK(book->find(first)->text == "at last");
}

TEST_CASE("order book: no more are taken than can be under way") {
    const auto book = fresh_book();
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < OrderBook::most; ++i) {
        last = *book->take_number();
        book->note({last, OrderState::running, 0, ""});
    }
    CHECK_FALSE(book->take_number());
    book->note({last, OrderState::done, 0, ""});
    const auto next = book->take_number();
    REQUIRE(next);
    CHECK(*next % OrderBook::most == last % OrderBook::most);
}

TEST_CASE("order book: a text that is too long is cut") {
    const auto book = fresh_book();
    const std::uint64_t number = *book->take_number();
    book->note({number, OrderState::done, 0, std::string(OrderBook::longest_text + 1, 'x')});
    CHECK(book->find(number)->text == std::string(OrderBook::longest_text, 'x'));
}

} // namespace
} // namespace cppcorn

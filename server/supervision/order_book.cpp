#include "server/supervision/order_book.hpp"

#include <algorithm>
#include <cstring>

#include "server/supervision/record_change.hpp"

namespace cppcorn {

void OrderBook::note(const OrderOutcome& outcome) {
    Record& record = records_[outcome.number % most];
    const RecordChange change(record.version);
    record.number = outcome.number;
    record.state = outcome.state;
    record.code = outcome.code;
    record.size = static_cast<std::uint32_t>(std::min(outcome.text.size(), longest_text));
    std::memcpy(record.text, outcome.text.data(), record.size);
}

std::optional<std::uint64_t> OrderBook::take_number() {
    for (std::size_t tries = 0; tries < most; ++tries) {
        const std::uint64_t number = given_.next_shared();
        const Record& record = records_[number % most];
        if (record.version.value() == 0 || record.state != OrderState::running) return number;
    }
    return std::nullopt;
}

std::optional<OrderOutcome> OrderBook::find(std::uint64_t number) const {
    const std::uint64_t given = given_.value();
    // All were taken by this master's.
    if (number == 0 || number > given || number / numbers_of_master != given / numbers_of_master) return std::nullopt;
    if (number % numbers_of_master == 0) return std::nullopt;
    const Record& record = records_[number % most];
    OrderOutcome outcome;
    const bool is_whole = read_record(record.version, [&] {
        outcome.number = record.number;
        outcome.state = record.state;
        outcome.code = record.code;
        outcome.text.assign(record.text, std::min<std::size_t>(record.size, longest_text));
    });
    if (is_whole && outcome.number == number) return outcome; // however many have come since
    if (given - number >= most) return std::nullopt;
    return OrderOutcome{number, OrderState::waiting, 0, ""};
}

} // namespace cppcorn

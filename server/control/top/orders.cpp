#include "server/control/top/orders.hpp"

namespace cppcorn::top {

void Orders::give(const Order& order) {
    try {
        const ControlOrder outcome = client_.give_order(target_of(order));
        if (has_ended(order, outcome)) return;
        session_.began(order);
        given_.push_back({order, outcome.number});
    } catch (const ControlError& error) {
        session_.failed(order, error.what());
    }
}

void Orders::look() {
    for (std::size_t i = 0; i < given_.size();) {
        if (has_ended(given_[i].order, client_.read_order(given_[i].number))) {
            given_.erase(given_.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
}

void Orders::forget() {
    for (const auto& given : given_) session_.failed(given.order, "the master is another one now");
    given_.clear();
}

bool Orders::has_ended(const Order& order, const ControlOrder& outcome) {
    switch (outcome.state) {
        case ControlOrder::State::done:
            session_.done(order, outcome.text);
            return true;
        case ControlOrder::State::failed:
            session_.failed(order, outcome.text);
            return true;
        case ControlOrder::State::waiting:
        case ControlOrder::State::running:
            break;
    }
    return false;
}

} // namespace cppcorn::top

// Exchanges that are not in use, kept for the next connection that has something to say. One that a client has made
// large is not kept: its memory would be the worker's for good.
#pragma once

#include <memory>
#include <vector>

#include "workers/exchange/exchange.hpp"

namespace cppcorn {

class ExchangePool {
  public:
    explicit ExchangePool(const WorkerSettings& settings) : settings_(settings) {}

    std::unique_ptr<Exchange> take() {
        if (spare_.empty()) return std::make_unique<Exchange>(settings_);
        auto exchange = std::move(spare_.back());
        spare_.pop_back();
        return exchange;
    }

    void give_back(std::unique_ptr<Exchange> exchange) {
        if (!exchange || spare_.size() >= most_spare) return;
        exchange->clear();
        if (exchange->capacity() > most_kept) return;
        spare_.push_back(std::move(exchange));
    }

    std::size_t spare_count() const { return spare_.size(); }

    static constexpr std::size_t most_kept = 128 * 1024; // bytes of one

  private:
    static constexpr std::size_t most_spare = 64;

    const WorkerSettings& settings_;
    std::vector<std::unique_ptr<Exchange>> spare_;
};

} // namespace cppcorn

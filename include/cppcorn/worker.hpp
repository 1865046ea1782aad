// The process that an app runs in.
#pragma once

#include <cstdint>
#include <string_view>

#include <cppcorn/abi.h>
#include <cppcorn/log.hpp>

namespace [[gnu::visibility("hidden")]] cppcorn {
inline namespace kit {

// Given to worker_start, valid during that call.
class Worker {
  public:
    explicit Worker(const cppcorn_worker& worker) : worker_(worker) {}

    // 0 up: which of the workers this is. No two that serve at the same time share a number, except while a
    // replacement takes over.
    std::uint32_t slot() const { return worker_.slot; }
    std::string_view name() const { return worker_.name; } // --name, or the app spec

    void log(LogLevel level, std::string_view text) const noexcept { cppcorn::log(level, text); }

  private:
    const cppcorn_worker& worker_;
};

} // namespace kit
} // namespace cppcorn

// The process that an app runs in.
#pragma once

#include <cstdint>
#include <string_view>

#include <cppcorn/abi.h>
#include <cppcorn/log.hpp>

namespace cppcorn {
inline namespace kit {

// Given to worker_start; valid during that call. So is the view that name() returns.
class Worker {
  public:
    explicit Worker(const cppcorn_worker& worker) : worker_(worker) {}

    // Which of the workers this is, from 0. No two living workers of one master have the same number; a new worker
    // takes the lowest that is free. During a reload or replacement it may be --workers or more.
    std::uint32_t slot() const { return worker_.slot; }
    std::string_view name() const { return worker_.name; } // --name, or the app spec

    void log(LogLevel level, std::string_view text) const noexcept { cppcorn::log(level, text); }

  private:
    const cppcorn_worker& worker_;
};

} // namespace kit
} // namespace cppcorn

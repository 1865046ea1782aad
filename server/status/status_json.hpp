// /status.json: the view for programs. docs/status.md says what each field means. Pure.
#pragma once

#include <ctime>
#include <string>

#include "server/status/service_facts.hpp"
#include "server/status/view.hpp"

namespace cppcorn {

// Raised when a field goes or changes its meaning; fields may be added at any time.
inline constexpr int status_json_version = 1;

// `now`: the time of day. Text that is no UTF-8 comes with U+FFFD in its place.
std::string status_json(const ServiceView& view, const ServiceFacts& facts, std::time_t now);

} // namespace cppcorn

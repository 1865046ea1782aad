// /metrics: the view in Prometheus' text format, version 0.0.4. docs/status.md says what each name means. Pure.
#pragma once

#include <string>

#include "server/status/service_facts.hpp"
#include "server/status/view.hpp"

namespace cppcorn {

inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const ServiceView& view, const ServiceFacts& facts);

} // namespace cppcorn

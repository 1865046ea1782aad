// What a reload has changed, in words. Pure.
#pragma once

#include <string>

#include "server/status/service_facts.hpp"

namespace cppcorn {

// Lines without an end: what the app is now and which settings are others than before.
std::string reload_text(const ServiceFacts& before, const ServiceFacts& after);

} // namespace cppcorn

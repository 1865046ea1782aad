// The page for people: one document that says all, made anew for each request. It works without a script; with one it is
// fetched again every two seconds. What others wrote in it is escaped (html.hpp). Pure.
#pragma once

#include <string>

#include "server/status/history.hpp"
#include "server/status/service_facts.hpp"
#include "server/status/view.hpp"

namespace cppcorn {

std::string page_text(const ServiceView& view, const History& history, const ServiceFacts& facts);

} // namespace cppcorn

// What `cppcorn ctl status` prints: the workers and what they do, in lines for people.
#pragma once

#include <string>

namespace cppcorn {

// `json`: what /status.json has answered. Throws std::runtime_error if it is something else. What clients sent is escaped.
std::string status_text(const std::string& json);

} // namespace cppcorn

// How a line of the error log looks: as gunicorn's, or as a JSON object.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/formatter.h>

namespace cppcorn {

enum class LogFormat { text, json };

// Each line has its end, and those about a request say so (base/log/logged_request.hpp). What is logged by then has to
// be safe for a text log; as JSON it is valid UTF-8 whatever it is.
std::unique_ptr<spdlog::formatter> make_line_formatter(LogFormat format);

// `text`, whose first line names the request that it is about: what a log in text has behind the level.
std::string with_request(std::string_view text);

// What this process is, for lines in JSON: "worker". A string literal. The master, before that is said.
void set_log_role(const char* role);

} // namespace cppcorn

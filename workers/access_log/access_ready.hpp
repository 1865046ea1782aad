// The access log's two ready formats. Both have the same keys in the same order: time (UTC), remote, method, target,
// protocol, status, bytes, duration_us, referer, user_agent, pid, request_id, queue_us, traceparent, and where no
// request was understood, request_line with what was sent.
#pragma once

#include <string>

#include "workers/access_log/access_values.hpp"

namespace cppcorn {

// One JSON object, valid UTF-8, missing values null. No line end.
void append_json(std::string& out, const AccessRecord& record, DateText& date);

// key=value pairs, values in quotes where they need them, missing values "-". No line end.
void append_logfmt(std::string& out, const AccessRecord& record, DateText& date);

} // namespace cppcorn

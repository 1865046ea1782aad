// The values of an access record, as every format of the access log wants them.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "workers/access_log/access_log.hpp"

namespace cppcorn {

// Nothing is missing, "" is there and empty.
using AccessValue = std::optional<std::string_view>;

AccessValue request_line_of(const AccessRecord& record);
AccessValue remote_address_of(const AccessRecord& record);
AccessValue request_id_of(const AccessRecord& record);
AccessValue traceparent_of(const AccessRecord& record); // only if it is well-formed, and the only one
AccessValue protocol_of(const AccessRecord& record);    // "HTTP/1.1"
AccessValue request_field_of(const AccessRecord& record, std::string_view name);
AccessValue response_field_of(const AccessRecord& record, std::string_view name);
std::uint64_t microseconds_of(const AccessRecord& record);

// The value's first few kilobytes, escaped as escaped() does; "-" if it is missing.
void append_value(std::string& out, const AccessValue& value);
void append_number(std::string& out, std::uint64_t number);

// The name of Basic authentication (RFC 7617), escaped; "-" where there is none or it is not decodable.
void append_user(std::string& out, const AccessRecord& record);

// What is left of `value` after the limit for one value.
std::string_view cut(std::string_view value);

// The text of a point in time, made anew only when the second changes. For one thread.
class DateText {
  public:
    std::string_view local(std::time_t second); // 23/Nov/2026:00:05:43 +0000
    std::string_view utc(std::time_t second);   // 2026-11-23T00:05:43

  private:
    std::time_t local_second_ = -1;
    std::time_t utc_second_ = -1;
    std::string local_text_;
    std::string utc_text_;
};

} // namespace cppcorn

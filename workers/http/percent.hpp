// Percent-decoding (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

namespace cppcorn::http {

// Replaces `out` by the decoded text. "%" that two hex digits do not follow stays as it is.
void percent_decode(std::string_view text, std::string& out);

} // namespace cppcorn::http

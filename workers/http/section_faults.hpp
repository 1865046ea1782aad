// What is wrong with the lines of a head or of trailers, as far as the scanner of lines can tell.
#pragma once

#include <cstddef>

#include "workers/http/limits.hpp"
#include "workers/http/line_scanner.hpp"
#include "workers/http/text.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

// A field line that begins with `first`, after so many others: what is wrong with it shows before the rest is here.
Verdict judge_odd_field_start(char first, std::size_t field_count, const Limits& limits);
inline Verdict judge_field_start(char first, std::size_t field_count, const Limits& limits) {
    return is_token_char(first) && field_count < limits.fields ? Verdict{}
                                                               : judge_odd_field_start(first, field_count, limits);
}

// The answer to what LineScanner::next() has found instead of a line.
Verdict judge_fault(LineScanner::Found fault, bool in_request_line);

} // namespace cppcorn::http

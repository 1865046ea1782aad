#include "workers/http/section_faults.hpp"

namespace cppcorn::http {

using Found = LineScanner::Found;

Verdict judge_odd_field_start(char first, std::size_t field_count, const Limits& limits) {
    if (first == '\r' || first == '\n') return {};
    if (is_white_space(first)) return {400, "folded field line"};
    if (field_count >= limits.fields) return {431, "too many fields"};
    return {};
}

Verdict judge_fault(Found fault, bool in_request_line) {
    switch (fault) {
        case Found::bare_cr:
            return {400, "CR without LF"};
        case Found::bare_lf:
            return {400, "LF without CR"};
        case Found::line_too_long:
            return in_request_line ? Verdict{414, "request line over the limit"}
                                   : Verdict{431, "field line over the limit"};
        default:
            return {431, "head or trailers over the limit"};
    }
}

} // namespace cppcorn::http

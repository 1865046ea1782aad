#include "workers/http/line_scanner.hpp"

#include <algorithm>

namespace cppcorn::http {

namespace {

constexpr std::size_t nowhere = std::string_view::npos;

// The byte behind the first CR that no LF follows. The byte behind a last CR is not known yet.
std::size_t find_bare_cr(std::string_view bytes, std::size_t from) {
    for (std::size_t cr = bytes.find('\r', from); cr < bytes.size(); cr = bytes.find('\r', cr + 1)) {
        if (cr + 1 < bytes.size() && bytes[cr + 1] != '\n') return cr + 1;
    }
    return nowhere;
}

} // namespace

LineScanner::Found LineScanner::fault(std::string_view bytes, std::size_t line_limit, std::size_t section_limit) {
    std::size_t bare_cr = find_bare_cr(bytes, scanned_ > start_ ? scanned_ - 1 : start_);
    std::size_t bare_lf = nowhere;
    if (bytes.size() > start_ && bytes.back() == '\n') {
        std::size_t lf = bytes.size() - 1;
        if (lf == start_ || bytes[lf - 1] != '\r') bare_lf = lf;
    }
    std::size_t too_long = nowhere;
    if (bytes.size() - start_ > line_limit) {
        char beyond = bytes[start_ + line_limit];
        if (beyond != '\r' && beyond != '\n') too_long = start_ + line_limit;
    }
    std::size_t too_large = bytes.size() - section_ > section_limit ? section_ + section_limit : nowhere;

    scanned_ = bytes.size();
    std::size_t first = std::min({bare_cr, bare_lf, too_long, too_large});
    if (first == nowhere) return Found::more;
    if (first == bare_cr) return Found::bare_cr;
    if (first == bare_lf) return Found::bare_lf;
    return first == too_long ? Found::line_too_long : Found::section_too_long;
}

} // namespace cppcorn::http

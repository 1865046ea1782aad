// Cuts a section of CRLF lines (a head, or trailers) out of bytes that grow from call to call, and never looks at a
// byte twice. Faults are found in the order of the bytes, so that it makes no difference how these were split.
#pragma once

#include <cstddef>
#include <string_view>

namespace cppcorn::http {

class LineScanner {
  public:
    enum class Found { line, more, bare_cr, bare_lf, line_too_long, section_too_long };

    // A new section begins at `offset` of the bytes given to next().
    void restart(std::size_t offset) { section_ = start_ = scanned_ = offset; }

    // The next line of `bytes`, which begin where they began in the call before. Lines are limited without their CRLF,
    // the section as a whole.
    Found next(std::string_view bytes, std::size_t line_limit, std::size_t section_limit);

    std::string_view line() const { return line_; }        // the last one found, without its CRLF
    std::size_t position() const { return start_; }        // where the next line begins
    std::size_t section_start() const { return section_; } // where the section began

  private:
    Found fault(std::string_view bytes, std::size_t line_limit, std::size_t section_limit);

    std::size_t section_ = 0;
    std::size_t start_ = 0;
    std::size_t scanned_ = 0;
    std::string_view line_;
};

} // namespace cppcorn::http

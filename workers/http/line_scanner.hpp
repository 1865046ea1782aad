// Cuts a section of CRLF lines (a head, or trailers) out of bytes that grow from call to call, and never looks at a
// byte twice. Faults are found in the order of the bytes, so that it makes no difference how these were split.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace cppcorn::http {

class LineScanner {
  public:
    enum class Found { line, more, bare_cr, bare_lf, line_too_long, section_too_long };

    // A new section begins at `offset` of the bytes given to next().
    void restart(std::size_t offset) { section_ = start_ = scanned_ = offset; }

    // The next line of `bytes`, which begin where they began in the call before. Lines are limited without their CRLF,
    // the section as a whole.
    Found next(std::string_view bytes, std::size_t line_limit, std::size_t section_limit) {
        const void* found = nullptr;
        if (scanned_ < bytes.size()) found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
        if (!found) return fault(bytes, line_limit, section_limit);

        const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        const std::size_t end = lf + 1;
        const bool proper =
            lf > start_ && bytes[lf - 1] == '\r' && lf - 1 - start_ <= line_limit && end - section_ <= section_limit;
        if (!proper) return fault(bytes.substr(0, end), line_limit, section_limit);

        line_ = {bytes.data() + start_, lf - 1 - start_}; // a CR within is for the reader's own check of characters
        start_ = scanned_ = end;
        return Found::line;
    }

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

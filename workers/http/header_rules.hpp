// The rules for the fields of one head, and of trailers (RFC 9110, 5 and 7.2; RFC 9112, 5 to 7 and 9.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workers/http/forwarded.hpp"
#include "workers/http/limits.hpp"
#include "workers/http/request_head.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

enum class UnderscoreNames { drop, refuse, keep }; // what becomes of a field name with "_" in it

class HeaderRules {
  public:
    explicit HeaderRules(UnderscoreNames underscores) : underscores_(underscores) {}
    void reset() {
        const ForwarderNames* kept = kept_;
        *this = HeaderRules(underscores_);
        kept_ = kept;
    }

    // Names with "_" that are kept whatever becomes of others; null for none. They outlive the rules.
    void keep(const ForwarderNames* names) { kept_ = names; }

    // One field line, added to head.fields unless it is to be dropped. The request line has been read into `head`.
    Verdict add(std::string_view line, RequestHead& head);

    // The head is whole: what only all fields together tell. Fills in authority, content_length, keep_alive and
    // expect_continue.
    Verdict finish(const Limits& limits, RequestHead& head) const;

    // One line of a trailer section, which is checked and forgotten.
    Verdict check_trailer(std::string_view line) const;

  private:
    enum class Codings { none, chunked, unsupported, malformed };

    struct Line {
        Field field;
        bool dropped = false;
    };

    Verdict split(std::string_view line, Line& result) const;
    Verdict note(const Field& field, std::size_t index);
    Verdict note_content_length(std::string_view value);
    void note_connection(std::string_view value);
    void note_expect(std::string_view value);
    void note_codings(std::string_view value);
    Verdict check_codings(const RequestHead& head) const;
    Verdict check_host(RequestHead& head) const;

    UnderscoreNames underscores_;
    const ForwarderNames* kept_ = nullptr;
    Codings codings_ = Codings::none;
    bool content_type_seen_ = false;
    bool close_ = false;
    bool keep_alive_ = false;
    bool expect_continue_ = false;
    bool expect_other_ = false;
    std::ptrdiff_t host_ = -1;         // its place in head.fields
    std::int64_t content_length_ = -1; // -1: not given
};

} // namespace cppcorn::http

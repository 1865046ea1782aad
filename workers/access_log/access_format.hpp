// The access log's format, compiled once; turns a record into a line. No files and no clocks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "workers/access_log/access_values.hpp"

namespace cppcorn {

// What a format can have, for texts.
struct AccessAtom {
    std::string spelling; // "%(h)s"
    std::string_view meaning;
};
std::vector<AccessAtom> access_atoms();

class AccessFormat {
  public:
    // A format of atoms such as %(h)s, or "json" or "logfmt". Throws std::invalid_argument with one line that says what
    // is wrong with it.
    explicit AccessFormat(std::string_view format);

    bool wants_response_fields() const;
    bool wants_duration() const;

    // Appends one line and its end. Whatever the record holds, the line has no control byte in it; each value is cut at
    // a few kilobytes. Missing values are "-" (null in JSON). Uses memory of `out` only.
    void append(std::string& out, const AccessRecord& record);
    // Makes the last line of `out` say that its answer was cut: by a word at its end, or another key.
    void mark_cut(std::string& out) const;

  private:
    enum class Kind { atoms, json, logfmt };

    // One step of a line. `text` is the literal, or the name of the atom's field.
    using Append = void (*)(std::string& out, const AccessRecord& record, std::string_view text, DateText& date);
    struct Op {
        Append append;
        std::string text;
    };
    friend struct AccessAtoms;

    bool has(Append atom) const;
    void compile(std::string_view format);
    void add_literal(std::string_view text);
    bool add_letter(char letter);
    void add_atom(std::string_view name, std::size_t at);
    void add_variable(std::string_view name);

    Kind kind_ = Kind::atoms;
    std::vector<Op> ops_;
    DateText date_;
};

} // namespace cppcorn

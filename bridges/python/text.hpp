// Python's text and the bytes of HTTP. WSGI's text holds bytes, one a character (PEP 3333, "Unicode Issues").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"

namespace cppcorn::python {

inline std::string_view view(const cppcorn_str& text) {
    return {text.data, text.size};
}

// A str of these bytes. Null, with an exception set, where there is no memory.
inline Ref to_str(std::string_view bytes) {
    return Ref::take(PyUnicode_DecodeLatin1(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), nullptr));
}

// A str of UTF-8, whatever it holds.
inline Ref to_str_of_utf8(std::string_view text) {
    return Ref::take(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

// The str that was made last, for bytes that are often the same as last time.
class LastStr {
  public:
    bool is(std::string_view bytes) const { return str_ && bytes_ == bytes; }
    // A str of these bytes, which is the last one from now on. Borrowed; null, with an exception set, where there is no
    // memory.
    PyObject* make(std::string_view bytes) {
        keep(to_str(bytes), bytes);
        return str_.get();
    }
    // The same with a str that is there, or null.
    void keep(Ref str, std::string_view bytes) {
        forget(); // while the bytes are another's
        bytes_ = bytes;
        str_ = std::move(str);
    }
    void forget() { str_ = Ref(); }
    PyObject* get() const { return str_.get(); }

  private:
    Ref str_;
    std::string bytes_;
};

// A str's bytes, in the str itself or, where that has no such bytes, in `room`: valid until either changes. Nothing, with
// an exception set, if it is no str or has a character above U+00FF.
std::optional<std::string_view> latin1_of(PyObject* str, std::string& room);

// The str as UTF-8 for the log, lone surrogates escaped. Never fails: what cannot be had is left out.
std::string to_utf8(PyObject* str);

} // namespace cppcorn::python

// Status and fields of a response, as start_response() was given them: checked, and copied as bytes. Most responses of an
// app say much the same as the one before: what is the same byte for byte is neither checked nor copied again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"

namespace cppcorn::python {

// Used again for the next response after clear(). What it gives out is valid until it changes.
class ResponseHead {
  public:
    void clear() { is_set_ = false; }
    // Takes the place of what there was. False, with an exception set and nothing there, if it cannot be sent.
    bool set(PyObject* status, PyObject* headers);
    bool is_set() const { return is_set_; }

    int status() const { return status_; }
    bool may_have_body() const { return status_ != 204 && status_ != 205 && status_ != 304; }
    std::string_view reason() const;
    bool has_length() const { return has_length_; }
    // The declared length, if there is one.
    std::uint64_t length() const { return length_; }
    // With a Content-Length behind the app's fields, if that is wanted.
    const std::vector<cppcorn_field>& fields(const std::uint64_t* length);

  private:
    struct Field {
        std::string name; // empty: not checked
        std::string value;
        std::optional<std::uint64_t> length; // of a Content-Length
    };

    bool set_status(PyObject* status);
    bool add_field(PyObject* item);
    bool check_field(PyObject* item, std::string_view name, std::string_view value, Field& field);

    bool is_set_ = false;
    bool has_length_ = false;
    std::uint64_t length_ = 0;
    int status_ = 0;
    std::string status_line_; // one that was checked
    std::vector<Field> fields_;
    std::size_t field_count_ = 0; // of this response; those behind are of one before
    std::string length_text_;
    std::string name_room_, value_room_;
    std::vector<cppcorn_field> given_out_;
};

} // namespace cppcorn::python

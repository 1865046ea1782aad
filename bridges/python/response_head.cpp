#include "bridges/python/response_head.hpp"

#include <algorithm>
#include <charconv>

#include "bridges/python/reference.hpp"
#include "bridges/python/text.hpp"
#include "workers/http/text.hpp"

namespace cppcorn::python {
namespace {

bool is_content_length(std::string_view name) {
    return http::is_named(name, "content-length");
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr char no_length[] = "start_response: no length, or a second one: %R";

bool fail(PyObject* type, const char* format, PyObject* what) {
    PyErr_Format(type, format, what);
    return false;
}

struct Pair {
    PyObject* name = nullptr; // both are the pair's; null if it is none
    PyObject* value = nullptr;
};

// PEP 3333 asks for tuples; some apps give lists.
Pair pair_of(PyObject* item) {
    const bool is_tuple = PyTuple_Check(item) != 0;
    if (is_tuple && PyTuple_Size(item) == 2) return {PyTuple_GetItem(item, 0), PyTuple_GetItem(item, 1)};
    const bool is_list = !is_tuple && PyList_Check(item) != 0;
    if (is_list && PyList_Size(item) == 2) return {PyList_GetItem(item, 0), PyList_GetItem(item, 1)};
    return {};
}

std::optional<std::uint64_t> read_length(std::string_view value) {
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    const char* const end = value.data() + value.size();
    std::uint64_t length = 0;
    const auto [at, error] = std::from_chars(value.data(), end, length); // which takes digits only
    return at == end && error == std::errc() ? std::optional(length) : std::nullopt;
}

} // namespace

bool ResponseHead::set(PyObject* status, PyObject* headers) {
    is_set_ = has_length_ = false;
    field_count_ = 0;
    if (!set_status(status)) return false;
    const bool is_list = PyList_Check(headers) != 0;
    const Ref list = is_list ? Ref::share(headers) : Ref::take(PySequence_List(headers));
    if (!list && PyErr_ExceptionMatches(PyExc_TypeError) == 0) return false; // of an iterator's own
    if (!list) return fail(PyExc_TypeError, "start_response: the headers are a list, not %R", headers);
    for (Py_ssize_t i = 0; i < PyList_Size(list.get()); ++i) {
        if (!add_field(PyList_GetItem(list.get(), i))) return false;
    }
    return is_set_ = true;
}

bool ResponseHead::set_status(PyObject* status) {
    const auto line = latin1_of(status, value_room_);
    if (!line) return false;
    if (!line->empty() && *line == status_line_) return true;
    const bool has_code = line->size() >= 3 && std::all_of(line->begin(), line->begin() + 3, is_digit) &&
                          (line->size() == 3 || (*line)[3] == ' ');
    if (!has_code || http::has_control(*line)) return fail(PyExc_ValueError, "start_response: no status: %R", status);
    int code = 0;
    std::from_chars(line->data(), line->data() + 3, code);
    if (code < 200 || code > 599) {
        return fail(PyExc_ValueError, "start_response: a response's status is 200 to 599, not %R", status);
    }
    status_line_ = *line;
    status_ = code;
    return true;
}

std::string_view ResponseHead::reason() const {
    return std::string_view(status_line_).substr(std::min<std::size_t>(status_line_.size(), 4));
}

bool ResponseHead::add_field(PyObject* item) {
    const Pair pair = pair_of(item);
    if (pair.name == nullptr) {
        return fail(PyExc_TypeError, "start_response: a header is a tuple of name and value, not %R", item);
    }
    const auto name = latin1_of(pair.name, name_room_);
    if (!name) return false;
    const auto value = latin1_of(pair.value, value_room_);
    if (!value) return false;
    if (field_count_ == fields_.size()) fields_.emplace_back();
    Field& field = fields_[field_count_];
    const bool is_known = !field.name.empty() && field.name == *name && field.value == *value;
    if (!is_known && !check_field(item, *name, *value, field)) return false;
    if (field.length && has_length_) return fail(PyExc_ValueError, no_length, item);
    if (field.length) {
        has_length_ = true;
        length_ = *field.length;
    }
    ++field_count_;
    return true;
}

bool ResponseHead::check_field(PyObject* item, std::string_view name, std::string_view value, Field& field) {
    if (!http::is_token(name) || http::has_control(value)) {
        return fail(PyExc_ValueError, "start_response: this header cannot be sent: %R", item);
    }
    const bool is_length = is_content_length(name);
    const auto length = is_length ? read_length(value) : std::nullopt;
    if (is_length && !length) return fail(PyExc_ValueError, no_length, item);
    field.name.clear(); // until all of it is there
    field.value = value;
    field.length = length;
    field.name = name;
    return true;
}

const std::vector<cppcorn_field>& ResponseHead::fields(const std::uint64_t* length) {
    given_out_.clear();
    for (std::size_t i = 0; i < field_count_; ++i) {
        const auto& [name, value, _] = fields_[i];
        given_out_.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
    }
    if (length != nullptr) {
        length_text_ = std::to_string(*length);
        given_out_.push_back({{"Content-Length", 14}, {length_text_.data(), length_text_.size()}});
    }
    return given_out_;
}

} // namespace cppcorn::python

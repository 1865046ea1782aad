#include "bridges/python/text.hpp"

namespace cppcorn::python {

std::optional<std::string_view> latin1_of(PyObject* str, std::string& room) {
    Py_ssize_t size = 0;
    const char* const utf8 = PyUnicode_AsUTF8AndSize(str, &size);
    if (utf8 != nullptr && size == PyUnicode_GetLength(str)) { // ASCII, as nearly always
        return std::string_view(utf8, static_cast<std::size_t>(size));
    }
    PyErr_Clear();
    if (PyUnicode_Check(str) == 0) {
        PyErr_Format(PyExc_TypeError, "str expected, got %R", Py_TYPE(str));
        return std::nullopt;
    }
    const Ref bytes = Ref::take(PyUnicode_AsLatin1String(str));
    char* data = nullptr;
    if (!bytes || PyBytes_AsStringAndSize(bytes.get(), &data, &size) != 0) return std::nullopt;
    return room.assign(data, static_cast<std::size_t>(size));
}

std::string to_utf8(PyObject* str) {
    const Ref bytes = Ref::take(PyUnicode_AsEncodedString(str, "utf-8", "backslashreplace"));
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (!bytes || PyBytes_AsStringAndSize(bytes.get(), &data, &size) != 0) {
        PyErr_Clear();
        return {};
    }
    return {data, static_cast<std::size_t>(size)};
}

} // namespace cppcorn::python

#include "bridges/python/errors.hpp"

#include "bridges/python/text.hpp"
#include "bridges/python/type_spec.hpp"

namespace cppcorn::python {
namespace {

constexpr std::size_t most_pending = 32 * 1024;

struct ErrorsObject {
    PyObject_HEAD Errors* errors;
};

} // namespace

void Errors::write(const std::string& text) {
    pending_ += text;
    const std::size_t end = pending_.rfind('\n');
    if (end != std::string::npos) {
        log(end + 1);
    } else if (pending_.size() > most_pending) {
        flush();
    }
}

void Errors::flush() {
    if (!pending_.empty()) log(pending_.size());
}

void Errors::log(std::size_t size) {
    const std::string record = pending_.substr(0, size);
    pending_.erase(0, size);
    host_.log_text(nullptr, CPPCORN_LOG_ERROR, record.data(), record.size());
}

// ---- The object

namespace {

Errors& errors_of(PyObject* self) {
    return *reinterpret_cast<ErrorsObject*>(self)->errors;
}

bool write_str(PyObject* self, PyObject* text) {
    if (PyUnicode_Check(text) == 0) {
        PyErr_Format(PyExc_TypeError, "wsgi.errors: str expected, got %R", Py_TYPE(text));
        return false;
    }
    return contained([&] {
        errors_of(self).write(to_utf8(text));
        return true;
    });
}

PyObject* errors_write(PyObject* self, PyObject* text) {
    return write_str(self, text) ? PyLong_FromSsize_t(PyUnicode_GetLength(text)) : nullptr;
}

PyObject* errors_writelines(PyObject* self, PyObject* lines) {
    const Ref iterator = Ref::take(PyObject_GetIter(lines));
    if (!iterator) return nullptr;
    while (const Ref line = Ref::take(PyIter_Next(iterator.get()))) {
        if (!write_str(self, line.get())) return nullptr;
    }
    if (PyErr_Occurred() != nullptr) return nullptr;
    Py_RETURN_NONE;
}

PyObject* errors_flush(PyObject* self, PyObject*) {
    const bool is_done = contained([&] {
        errors_of(self).flush();
        return true;
    });
    if (!is_done) return nullptr;
    Py_RETURN_NONE;
}

// What writes to it in colours asks that first.
PyObject* errors_isatty(PyObject*, PyObject*) {
    Py_RETURN_FALSE;
}

PyMethodDef errors_methods[] = {
    {"write", errors_write, METH_O, "Writes text to the error log, once its line has ended."},
    {"writelines", errors_writelines, METH_O, "Writes several texts."},
    {"flush", errors_flush, METH_NOARGS, "Writes what has no line end yet."},
    {"isatty", errors_isatty, METH_NOARGS, "False: it is a log."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot errors_slots[] = {{Py_tp_dealloc, slot(free_object)}, {Py_tp_methods, errors_methods}, {0, nullptr}};

PyType_Spec errors_spec = {"cppcorn.Errors", sizeof(ErrorsObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, errors_slots};

} // namespace

Ref make_errors_object(Errors& errors) {
    const Ref type = Ref::take(PyType_FromSpec(&errors_spec));
    if (!type) return {};
    Ref object = make_object(type.get());
    if (object) reinterpret_cast<ErrorsObject*>(object.get())->errors = &errors;
    return object;
}

} // namespace cppcorn::python

// The types of the objects that an app gets. None can be made or derived from in Python, except where a type says so.
#pragma once

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"

namespace cppcorn::python {

class Call;

// An object that belongs to one request. Once that has ended, the object refuses to work.
struct CallObject {
    PyObject_HEAD Call* call;
};

// The request's, or null with an exception set if it has ended.
inline Call* call_of(PyObject* self, const char* what) {
    Call* const call = reinterpret_cast<CallObject*>(self)->call;
    if (call == nullptr) PyErr_Format(PyExc_ValueError, "%s: the request has ended", what);
    return call;
}

template <class Function>
void* slot(Function function) {
    return reinterpret_cast<void*>(function);
}

// The body of a function that Python calls: an exception of C++ must not go on into Python, and can only be about memory.
template <class Function>
auto contained(Function function) noexcept -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        PyErr_NoMemory();
        return {};
    }
}

// tp_dealloc of a type that owns nothing.
inline void free_object(PyObject* self) {
    PyTypeObject* const type = Py_TYPE(self);
    reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(reinterpret_cast<PyObject*>(type));
}

// An object of that type with all its fields zero.
inline Ref make_object(PyObject* type) {
    return Ref::take(PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(type), 0));
}

} // namespace cppcorn::python

#include "bridges/python/file_wrapper.hpp"

#include "bridges/python/type_spec.hpp"

namespace cppcorn::python {
namespace {

constexpr Py_ssize_t usual_block = 64 * 1024;

struct WrapperObject {
    PyObject_HEAD PyObject* file;
    Py_ssize_t block;
};

WrapperObject& wrapper_of(PyObject* self) {
    return *reinterpret_cast<WrapperObject*>(self);
}

PyObject* wrapper_new(PyTypeObject* type, PyObject* args, PyObject* keywords) {
    static const char* const names[] = {"filelike", "blksize", nullptr};
    PyObject* file = nullptr;
    Py_ssize_t block = usual_block;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "O|n:file_wrapper", const_cast<char**>(names), &file, &block) ==
        0) {
        return nullptr;
    }
    Ref self = make_object(reinterpret_cast<PyObject*>(type));
    if (!self) return nullptr;
    wrapper_of(self.get()).file = Ref::share(file).release();
    wrapper_of(self.get()).block = block > 0 ? block : usual_block;
    return self.release();
}

void wrapper_dealloc(PyObject* self) {
    Py_XDECREF(wrapper_of(self).file);
    free_object(self);
}

PyObject* wrapper_iter(PyObject* self) {
    Py_INCREF(self);
    return self;
}

PyObject* wrapper_next(PyObject* self) {
    const WrapperObject& wrapper = wrapper_of(self);
    Ref piece = Ref::take(PyObject_CallMethod(wrapper.file, "read", "n", wrapper.block));
    if (!piece) return nullptr;
    const int has_bytes = PyObject_IsTrue(piece.get());
    return has_bytes == 1 ? piece.release() : nullptr;
}

PyObject* wrapper_close(PyObject* self, PyObject*) {
    const Ref close = Ref::take(PyObject_GetAttrString(wrapper_of(self).file, "close"));
    if (!close) {
        PyErr_Clear(); // it has nothing to be closed
        Py_RETURN_NONE;
    }
    return PyObject_CallNoArgs(close.get());
}

PyMethodDef wrapper_methods[] = {
    {"close", wrapper_close, METH_NOARGS, "Closes the file."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot wrapper_slots[] = {
    {Py_tp_new, slot(wrapper_new)},       {Py_tp_dealloc, slot(wrapper_dealloc)}, {Py_tp_iter, slot(wrapper_iter)},
    {Py_tp_iternext, slot(wrapper_next)}, {Py_tp_methods, wrapper_methods},       {0, nullptr},
};

PyType_Spec wrapper_spec = {"cppcorn.FileWrapper", sizeof(WrapperObject), 0, Py_TPFLAGS_DEFAULT, wrapper_slots};

} // namespace

Ref make_file_wrapper_type() {
    return Ref::take(PyType_FromSpec(&wrapper_spec));
}

PyObject* wrapped_file(PyObject* wrapper) {
    return wrapper_of(wrapper).file;
}

} // namespace cppcorn::python

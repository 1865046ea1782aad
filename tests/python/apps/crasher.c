// An extension module that ends its process in several ways.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

static int* volatile nowhere = NULL;

static PyObject* crash_with_lock(PyObject* self, PyObject* args) {
    (void)self, (void)args;
    return PyLong_FromLong(*nowhere);
}

static PyObject* crash_without_lock(PyObject* self, PyObject* args) {
    (void)self, (void)args;
    int value;
    Py_BEGIN_ALLOW_THREADS value = *nowhere;
    Py_END_ALLOW_THREADS return PyLong_FromLong(value);
}

static PyObject* free_twice(PyObject* self, PyObject* args) {
    (void)self, (void)args;
    void* volatile block = malloc(100);
    free(block);
    free(block);
    Py_RETURN_NONE;
}

static PyObject* fatal_error(PyObject* self, PyObject* args) {
    (void)self, (void)args;
    Py_FatalError("a fault in a reference count");
}

static PyMethodDef methods[] = {
    {"crash_with_lock", crash_with_lock, METH_NOARGS, NULL},
    {"crash_without_lock", crash_without_lock, METH_NOARGS, NULL},
    {"free_twice", free_twice, METH_NOARGS, NULL},
    {"fatal_error", fatal_error, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "crasher", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_crasher(void) {
    return PyModule_Create(&module);
}

#include "bridges/python/start_response.hpp"

#include "bridges/python/call.hpp"
#include "bridges/python/type_spec.hpp"

namespace cppcorn::python {
namespace {

PyObject* write_piece(PyObject* self, PyObject* piece) {
    Call* const call = call_of(self, "write");
    if (call == nullptr || !contained([&] { return call->write(piece); })) return nullptr;
    Py_RETURN_NONE;
}

struct Arguments {
    PyObject* status = nullptr;
    PyObject* headers = nullptr;
    PyObject* exc_info = nullptr;
};

// `values` holds those without a name, and then those that `names` has. False with an exception set.
bool read_any(PyObject* const* values, Py_ssize_t count, PyObject* names, Arguments& arguments) {
    static const char* const known[] = {"status", "headers", "exc_info", nullptr};
    const Ref args = Ref::take(PyTuple_New(count));
    const Ref keywords = Ref::take(PyDict_New());
    if (!args || !keywords) return false;
    for (Py_ssize_t i = 0; i < count; ++i) {
        if (PyTuple_SetItem(args.get(), i, Ref::share(values[i]).release()) != 0) return false;
    }
    for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_Size(names); ++i) {
        if (PyDict_SetItem(keywords.get(), PyTuple_GetItem(names, i), values[count + i]) != 0) return false;
    }
    return PyArg_ParseTupleAndKeywords(args.get(), keywords.get(), "OO|O:start_response", const_cast<char**>(known),
                                       &arguments.status, &arguments.headers, &arguments.exc_info) != 0;
}

PyObject* start(PyObject* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
    Call* const call = call_of(self, "start_response");
    if (call == nullptr) return nullptr;
    Arguments arguments;
    if (names == nullptr && count == 2) { // as nearly always
        arguments.status = values[0];
        arguments.headers = values[1];
    } else if (!read_any(values, count, names, arguments)) {
        return nullptr;
    }
    const bool is_done =
        contained([&] { return call->start_response(arguments.status, arguments.headers, arguments.exc_info); });
    return is_done ? Ref::share(call->writer()).release() : nullptr;
}

PyMethodDef start_definition = {"start_response", reinterpret_cast<PyCFunction>(slot(start)),
                                METH_FASTCALL | METH_KEYWORDS, "Begins the response; returns write()."};
PyMethodDef write_definition = {"write", write_piece, METH_O, "Sends a piece of the body."};

PyType_Slot slots[] = {{Py_tp_dealloc, slot(free_object)}, {0, nullptr}};

PyType_Spec spec = {"cppcorn.StartResponse", sizeof(CallObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

} // namespace

bool StartResponse::prepare() {
    type_ = Ref::take(PyType_FromSpec(&spec));
    return type_ && make();
}

bool StartResponse::make() {
    request_ = make_object(type_.get());
    start_ = Ref::take(request_ ? PyCFunction_NewEx(&start_definition, request_.get(), nullptr) : nullptr);
    write_ = Ref::take(start_ ? PyCFunction_NewEx(&write_definition, request_.get(), nullptr) : nullptr);
    return static_cast<bool>(write_);
}

PyObject* StartResponse::begin(Call& call) {
    if (!write_ && !make()) return nullptr;
    reinterpret_cast<CallObject*>(request_.get())->call = &call;
    return start_.get();
}

void StartResponse::end() {
    if (!write_) return;
    reinterpret_cast<CallObject*>(request_.get())->call = nullptr;
    constexpr Py_ssize_t owners = 3; // this object and both functions
    if (Py_REFCNT(start_.get()) > 1 || Py_REFCNT(write_.get()) > 1 || Py_REFCNT(request_.get()) > owners) {
        for (Ref* owned : {&write_, &start_, &request_}) *owned = Ref();
    }
}

} // namespace cppcorn::python

#include "bridges/python/module.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/crash_report.hpp"
#include "bridges/python/bridge.hpp"
#include "bridges/python/gil.hpp"
#include "bridges/python/reference.hpp"
#include "bridges/python/text.hpp"
#include "bridges/python/type_spec.hpp"
#include "server/master.hpp"
#include "server/process/hosting.hpp"
#include "server/settings/rows/refused.hpp"
#include "server/settings/settings_table.hpp"
#include "server/supervision/interpreter_stack.hpp"

namespace cppcorn::python {
namespace {

// Of a list of bytes. False, with an exception set, if it is none.
bool read_texts(PyObject* list, std::vector<std::string>& texts) {
    const Py_ssize_t size = PyList_Size(list);
    for (Py_ssize_t i = 0; i < size; ++i) {
        char* data = nullptr;
        Py_ssize_t length = 0;
        if (PyBytes_AsStringAndSize(PyList_GetItem(list, i), &data, &length) != 0) return false;
        texts.emplace_back(data, static_cast<std::size_t>(length));
    }
    return size >= 0;
}

bool knows_module(const std::string& module, const std::vector<std::string>& directories) {
    const GilHeld held;
    const Ref package = Ref::take(PyImport_ImportModule("cppcorn._app"));
    const Ref list = Ref::take(PyList_New(0));
    bool is_complete = package && list;
    for (const auto& directory : directories) {
        const Ref text = Ref::take(PyUnicode_DecodeFSDefault(directory.c_str()));
        is_complete = is_complete && text && PyList_Append(list.get(), text.get()) == 0;
    }
    const Ref known = Ref::take(
        is_complete ? PyObject_CallMethod(package.get(), "knows", "sO", module.c_str(), list.get()) : nullptr);
    if (!known) PyErr_Clear(); // who loads it will say why
    return known && PyObject_IsTrue(known.get()) == 1;
}

int run_hosted(const std::vector<std::string>& arguments, Hosting hosting) {
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    hosting.before_fork = before_fork;
    hosting.after_fork_in_parent = after_fork_in_parent;
    hosting.after_fork_in_child = after_fork_in_child;
    hosting.settle_for_forks = settle_for_forks;
    hosting.load = load_app;
    hosting.knows = knows_module;
    set_hosting(std::move(hosting));
    const GilReleased released;
    return run_master(static_cast<int>(arguments.size()), argv.data());
}

// run(arguments, command, program, interpreter): the master's whole life. Returns its exit code.
PyObject* run(PyObject*, PyObject* args) {
    PyObject* lists[3] = {};
    const char* interpreter = nullptr;
    if (PyArg_ParseTuple(args, "OOOs:run", &lists[0], &lists[1], &lists[2], &interpreter) == 0) return nullptr;
    std::vector<std::string> arguments;
    Hosting hosting;
    hosting.interpreter = interpreter;
    if (!read_texts(lists[0], arguments) || !read_texts(lists[1], hosting.command) ||
        !read_texts(lists[2], hosting.program)) {
        return nullptr;
    }
    const int code = contained([&] { return run_hosted(arguments, std::move(hosting)); });
    return PyErr_Occurred() == nullptr ? PyLong_FromLong(code) : nullptr;
}

PyObject* log(PyObject*, PyObject* args) {
    int level = 0;
    PyObject* text = nullptr;
    if (PyArg_ParseTuple(args, "iU:log", &level, &text) == 0) return nullptr;
    const bool is_done = present_bridge() == nullptr || contained([&] {
                             present_bridge()->log(level, to_utf8(text));
                             return true;
                         });
    if (!is_done) return nullptr;
    Py_RETURN_NONE;
}

PyObject* extend_deadline(PyObject*, PyObject* args) {
    double seconds = 0;
    if (PyArg_ParseTuple(args, "d:extend_deadline", &seconds) == 0) return nullptr;
    const double ms = seconds > 0 ? std::min(seconds * 1000, 4e9) : 0.0; // 0 also for what is no number
    if (present_bridge() != nullptr) present_bridge()->extend_deadline(static_cast<std::uint32_t>(ms));
    Py_RETURN_NONE;
}

PyObject* stack_file_number(PyObject*, PyObject*) {
    return PyLong_FromLong(stack_file());
}

PyObject* take_stack_for_crashes(PyObject*, PyObject*) {
    take_crash_stack();
    Py_RETURN_NONE;
}

PyObject* take_overdue(PyObject*, PyObject*) {
    return PyBool_FromLong(present_bridge() != nullptr && present_bridge()->take_overdue() ? 1 : 0);
}

PyObject* client_gone(PyObject*, PyObject*) {
    return PyBool_FromLong(present_bridge() != nullptr && present_bridge()->client_is_gone() ? 1 : 0);
}

PyObject* watch(PyObject*, PyObject* list) {
    std::vector<std::string> paths;
    if (!contained([&] { return read_texts(list, paths); })) return nullptr;
    const bool is_done = present_bridge() == nullptr || contained([&] {
                             present_bridge()->watch(paths);
                             return true;
                         });
    if (!is_done) return nullptr;
    Py_RETURN_NONE;
}

// setting(name): None where the settings have that name, else why not.
PyObject* setting(PyObject*, PyObject* args) {
    const char* name = nullptr;
    if (PyArg_ParseTuple(args, "s:setting", &name) == 0) return nullptr;
    const std::string why = contained([&]() -> std::string {
        const Setting* const found = find_setting(name);
        if (found != nullptr && found->scope == Setting::Scope::everywhere) return {};
        return refusal_of(name).value_or("is no setting of gunicorn's that is known here");
    });
    if (PyErr_Occurred() != nullptr) return nullptr;
    if (why.empty()) Py_RETURN_NONE;
    return to_str_of_utf8(why).release();
}

PyMethodDef functions[] = {
    {"run", run, METH_VARARGS, "Runs the server; returns its exit code."},
    {"log", log, METH_VARARGS, "Writes a record to the error log."},
    {"extend_deadline", extend_deadline, METH_VARARGS, "Gives the request at least that many seconds from now."},
    {"take_crash_stack", take_stack_for_crashes, METH_NOARGS, "Crashes are told on a stack that is large enough."},
    {"take_overdue", take_overdue, METH_NOARGS, "Whether the request that runs has used up its time."},
    {"client_gone", client_gone, METH_NOARGS, "Whether the client has closed its side of the connection."},
    {"setting", setting, METH_VARARGS, "Why there is no setting of that name; None if there is."},
    {"stack_file", stack_file_number, METH_NOARGS, "Where stacks go that the master asks for."},
    {"watch", watch, METH_O, "Names the files whose change reloads the service, with --reload."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_cppcorn",
                          "The server cppcorn, inside of an interpreter.",
                          -1,
                          functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

} // namespace
} // namespace cppcorn::python

PyMODINIT_FUNC PyInit__cppcorn(void) {
    PyObject* const module = PyModule_Create(&cppcorn::python::definition);
    if (module != nullptr && PyModule_AddStringConstant(module, "__version__", CPPCORN_VERSION) != 0) {
        Py_DECREF(module);
        return nullptr;
    }
    return module;
}

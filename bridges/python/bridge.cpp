#include "bridges/python/bridge.hpp"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "bridges/python/file_wrapper.hpp"
#include "bridges/python/gil.hpp"
#include "bridges/python/text.hpp"
#include "bridges/python/type_spec.hpp"

namespace cppcorn::python {
namespace {

constexpr std::size_t longest_target = 200; // in log lines

Bridge* present = nullptr;

Ref attribute(const Ref& object, const char* name) {
    return object ? Ref::take(PyObject_GetAttrString(object.get(), name)) : Ref();
}

PyObject* send_early_hints(PyObject*, PyObject* headers) {
    if (present == nullptr || !contained([&] { return present->send_early_hints(headers); })) return nullptr;
    Py_RETURN_NONE;
}

PyMethodDef early_hints_definition = {"early_hints", send_early_hints, METH_O, "Sends a 103 with these headers."};

// The process's variables, which the server has changed since Python has read them.
Ref variables() {
    Ref dict = Ref::take(PyDict_New());
    for (char** variable = environ; dict && *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        const std::string_view value = text.substr(equals + 1);
        const Ref key = Ref::take(PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(equals)));
        const Ref bytes = Ref::take(PyBytes_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
        if (!key || !bytes || PyDict_SetItem(dict.get(), key.get(), bytes.get()) != 0) return {};
    }
    return dict;
}

Ref directories(const cppcorn_bridge& surroundings) {
    Ref list = Ref::take(PyList_New(0));
    for (std::size_t i = 0; list && i < surroundings.app_dir_count; ++i) {
        const Ref directory = Ref::take(PyUnicode_DecodeFSDefault(surroundings.app_dirs[i]));
        if (!directory || PyList_Append(list.get(), directory.get()) != 0) return {};
    }
    return list;
}

std::string text_of_exception() {
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    const Ref owned[] = {Ref::take(type), Ref::take(value), Ref::take(trace)};
    const Ref text = value != nullptr ? Ref::take(PyObject_Str(value)) : Ref();
    PyErr_Clear();
    return text ? to_utf8(text.get()) : "an exception without a text";
}

} // namespace

Bridge* present_bridge() {
    return present;
}

Bridge::Bridge(const cppcorn_host& host, const cppcorn_bridge& surroundings)
    : host_(host), surroundings_(surroundings) {}

// ---- Loading

bool Bridge::prepare() {
    helper_ = Ref::take(PyImport_ImportModule("cppcorn._worker"));
    describe_ = attribute(helper_, "describe");
    real_file_ = attribute(helper_, "real_file");
    request_timeout_ = attribute(helper_, "RequestTimeout");
    input_type_ = make_input_type();
    file_wrapper_type_ = make_file_wrapper_type();
    errors_object_ = make_errors_object(errors_);
    early_hints_object_ = Ref::take(PyCFunction_NewEx(&early_hints_definition, nullptr, nullptr));
    const bool is_whole = describe_ && real_file_ && request_timeout_ && input_type_ && file_wrapper_type_ &&
                          errors_object_ && early_hints_object_ && start_response_.prepare();
    return is_whole && environs_.prepare({errors_object_.get(), file_wrapper_type_.get(), early_hints_object_.get(),
                                          surroundings_.workers > 1, host_.server});
}

int Bridge::load(std::string& failure) {
    const Ref environment = variables();
    const Ref paths = directories(surroundings_);
    const auto fail = [&](std::string text) {
        failure = std::move(text);
        return -ECANCELED;
    };
    if (!environment || !paths || !prepare()) return fail(text_of_exception());
    const Ref outcome =
        Ref::take(PyObject_CallMethod(helper_.get(), "load", "ssOOs", surroundings_.module, surroundings_.call,
                                      paths.get(), environment.get(), surroundings_.hooks));
    PyObject* app = nullptr;
    PyObject* line = nullptr;
    PyObject* trace = nullptr;
    int is_missing = 0;
    if (!outcome || PyArg_ParseTuple(outcome.get(), "OOOp", &app, &line, &trace, &is_missing) == 0) {
        return fail(text_of_exception());
    }
    if (trace != Py_None) log(CPPCORN_LOG_ERROR, to_utf8(trace));
    if (line != Py_None) return is_missing != 0 ? (fail(to_utf8(line)), -ENOENT) : fail(to_utf8(line));
    app_ = Ref::share(app);
    return 0;
}

void Bridge::watch(const std::vector<std::string>& paths) const {
    std::vector<const char*> pointers;
    for (const auto& path : paths) pointers.push_back(path.c_str());
    surroundings_.watch(pointers.data(), pointers.size());
}

void Bridge::settle_for_forks() const {
    const Ref done = Ref::take(PyObject_CallMethod(helper_.get(), "settle_for_forks", nullptr));
    if (!done) log_exception();
}

int Bridge::worker_start(const cppcorn_worker& worker) {
    faults_fd_ = surroundings_.error_log();
    const Ref done =
        Ref::take(PyObject_CallMethod(helper_.get(), "start", "isii", static_cast<int>(worker.slot), worker.name,
                                      faults_fd_, surroundings_.timeout_ms > 0 ? RequestTimer::signal() : 0));
    if (!done) {
        log_exception();
        return -ECANCELED;
    }
    if (!timer_.prepare(surroundings_.timeout_ms)) {
        log(CPPCORN_LOG_WARNING, "No timer is left: a request that is stuck is not told before --timeout");
    }
    return 0;
}

void Bridge::worker_exit() {
    const Ref done = Ref::take(PyObject_CallMethod(helper_.get(), "leave", nullptr));
    if (!done) log_exception();
    errors_.flush();
}

// ---- A request

// An app that has kept that of an earlier request must not reach this one with it.
PyObject* Bridge::input_for_request() {
    if (!input_) input_ = make_object(input_type_.get());
    if (input_) reinterpret_cast<CallObject*>(input_.get())->call = &call_;
    return input_.get();
}

void Bridge::end_request() {
    in_app_ = false;
    start_response_.end();
    if (input_) {
        reinterpret_cast<CallObject*>(input_.get())->call = nullptr;
        if (Py_REFCNT(input_.get()) > 1 + environs_.owners_of(input_.get())) input_ = Ref();
    }
    ServerTurn::wait_for_others();
    timer_.end_request();
    in_request_ = false;
}

int Bridge::handle(const cppcorn_request& request) {
    follow_error_log();
    call_.begin(request);
    in_request_ = true;
    timer_.begin_request();
    in_app_ = true;
    struct End {
        Bridge& bridge;
        ~End() { bridge.end_request(); }
    } const end{*this};
    if (!call_app()) report_exception();
    in_app_ = false;
    errors_.flush();
    return 0;
}

bool Bridge::call_app() {
    Ref result;
    {
        PyObject* const input = input_for_request();
        PyObject* const start_response = start_response_.begin(call_);
        if (input == nullptr || start_response == nullptr) return false;
        const Ref environ = environs_.make(call_.request(), input);
        if (!environ) return false;
        result = Ref::take(PyObject_CallFunctionObjArgs(app_.get(), environ.get(), start_response, nullptr));
    }
    if (!result) return false;
    const bool is_sent = call_.send_body(result.get(), file_wrapper_type_.get(), real_file_.get());
    if (!is_sent) report_exception();
    close(result.get(), is_sent);
    return true;
}

void Bridge::close(PyObject* result, bool is_sent) {
    if (PyList_CheckExact(result) != 0 || PyTuple_CheckExact(result) != 0) return;
    const Ref close = Ref::take(PyObject_GetAttrString(result, "close"));
    if (!close) return PyErr_Clear();
    if (is_sent && !call_.client_is_gone()) call_.finish();
    const Ref done = Ref::take(PyObject_CallNoArgs(close.get()));
    if (!done) report_exception();
}

// Whatever it is, SystemExit and KeyboardInterrupt among it, it is this request's.
void Bridge::report_exception() {
    in_app_ = false;
    const bool is_timeout = PyErr_ExceptionMatches(request_timeout_.get()) != 0;
    const bool is_clients = (call_.input().has_failed() && PyErr_ExceptionMatches(PyExc_OSError) != 0) ||
                            (call_.client_is_gone() && PyErr_ExceptionMatches(PyExc_BrokenPipeError) != 0);
    if (is_clients) return PyErr_Clear(); // the server answers and logs
    const std::string line = log_exception();
    if (is_timeout && !call_.has_begun()) {
        const cppcorn_request& request = call_.request();
        log(CPPCORN_LOG_ERROR, "Error handling request " + std::string(view(request.method)) + " " +
                                   std::string(view(request.target).substr(0, longest_target)) + ": " + line);
        call_.answer(504, "Gateway Timeout\n");
    } else {
        const ServerTurn turn(ServerTurn::Gil::kept);
        host_.fail(&call_.request(), line.data(), line.size());
    }
    in_app_ = true;
}

// The exception that is set, with its traceback. Returns it in one line.
std::string Bridge::log_exception() const {
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    const Ref owned[] = {Ref::take(type), Ref::take(value), Ref::take(trace)};
    const auto or_none = [](PyObject* object) { return object != nullptr ? object : Py_None; };
    const Ref texts = Ref::take(
        PyObject_CallFunctionObjArgs(describe_.get(), or_none(type), or_none(value), or_none(trace), nullptr));
    PyObject* whole = nullptr;
    PyObject* line = nullptr;
    if (!texts || PyArg_ParseTuple(texts.get(), "UU", &whole, &line) == 0) return text_of_exception();
    log(CPPCORN_LOG_ERROR, to_utf8(whole));
    return to_utf8(line);
}

// ---- For the app

void Bridge::log(int level, const std::string& text) const {
    host_.log_text(nullptr, level, text.data(), text.size());
}

void Bridge::extend_deadline(std::uint32_t ms) {
    const ServerTurn turn(ServerTurn::Gil::kept);
    if (!in_request_ || host_.extend_deadline(&call_.request(), ms) != 0) return;
    timer_.extend(ms);
}

bool Bridge::client_is_gone() {
    const ServerTurn turn(ServerTurn::Gil::kept);
    return in_request_ && host_.client_gone(&call_.request()) == 1;
}

bool Bridge::send_early_hints(PyObject* headers) {
    ResponseHead hints;
    const Ref status = Ref::take(PyUnicode_FromString("200"));
    if (!status || !hints.set(status.get(), headers)) return false;
    if (!in_request_) PyErr_SetString(PyExc_ValueError, "wsgi.early_hints: the request has ended");
    if (!in_request_) return false;
    const auto& fields = hints.fields(nullptr);
    int result = 0;
    {
        const RequestTimer::Pause pause(timer_);
        const ServerTurn turn(ServerTurn::Gil::released);
        result = host_.early_hints(&call_.request(), fields.data(), fields.size());
    }
    if (result == -EINVAL || result == -EALREADY) {
        PyErr_SetString(PyExc_ValueError, result == -EINVAL ? "wsgi.early_hints: these headers cannot be sent"
                                                            : "wsgi.early_hints: the response has begun");
        return false;
    }
    return true;
}

// The stacks of a crash go where the other lines of the log go, also after it was opened anew.
void Bridge::follow_error_log() {
    const int fd = surroundings_.error_log();
    if (fd == faults_fd_) [[likely]]
        return;
    faults_fd_ = fd;
    const Ref done = Ref::take(PyObject_CallMethod(helper_.get(), "show_faults", "i", fd));
    if (!done) PyErr_Clear();
}

// ---- The functions of cppcorn_app

namespace {

// Runs with the lock held, and lets no exception of C++ out.
template <class Function>
int guarded(const cppcorn_host& host, Function function) noexcept {
    try {
        const GilHeld held;
        return function();
    } catch (const std::exception& error) {
        const std::string_view text = error.what();
        host.log(nullptr, CPPCORN_LOG_ERROR, text.data(), text.size());
    } catch (...) {
    }
    return -ENOMEM;
}

const cppcorn_host* server = nullptr;

int handle(void* self, const cppcorn_request* request) {
    return guarded(*server, [&] { return static_cast<Bridge*>(self)->handle(*request); });
}

int worker_start(void* self, const cppcorn_worker* worker) {
    return guarded(*server, [&] { return static_cast<Bridge*>(self)->worker_start(*worker); });
}

void worker_exit(void* self) {
    guarded(*server, [&] {
        static_cast<Bridge*>(self)->worker_exit();
        return 0;
    });
}

} // namespace

int load_app(cppcorn_load* load) {
    server = load->host;
    const auto* const surroundings =
        static_cast<const cppcorn_bridge*>(load->host->extension(CPPCORN_BRIDGE_EXTENSION));
    if (surroundings == nullptr) return -ENOSYS;
    return guarded(*server, [&] {
        auto bridge = std::make_unique<Bridge>(*load->host, *surroundings);
        present = bridge.get();
        std::string failure;
        if (const int error = bridge->load(failure); error != 0) {
            present = nullptr;
            std::snprintf(load->error, load->error_room, "%s", failure.c_str());
            return error;
        }
        load->app->self = bridge.release();
        load->app->handle = handle;
        load->app->worker_start = worker_start;
        load->app->worker_exit = worker_exit;
        return 0;
    });
}

void settle_for_forks() {
    if (present == nullptr) return;
    guarded(*server, [] {
        present->settle_for_forks();
        return 0;
    });
}

} // namespace cppcorn::python

#include "bridges/python/call.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include "bridges/python/file_wrapper.hpp"
#include "bridges/python/gil.hpp"
#include "bridges/python/text.hpp"

namespace cppcorn::python {
namespace {

constexpr std::size_t large_body = 16 * 1024; // which may have to wait for the client

std::optional<std::string_view> bytes_of(PyObject* piece) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_Check(piece) == 0) {
        PyErr_Format(PyExc_TypeError, "the pieces of a body are bytes; the app gave %R", Py_TYPE(piece));
        return std::nullopt;
    }
    if (PyBytes_AsStringAndSize(piece, &data, &size) != 0) return std::nullopt;
    return std::string_view(data, static_cast<std::size_t>(size));
}

// What sys.exc_info() has returned; or an exception about that it has not.
void raise_again(PyObject* exc_info) {
    const bool is_triple = PyTuple_Check(exc_info) != 0 && PyTuple_Size(exc_info) == 3;
    PyObject* const value = is_triple ? PyTuple_GetItem(exc_info, 1) : Py_None;
    if (!is_triple || PyExceptionInstance_Check(value) == 0) {
        PyErr_SetString(PyExc_TypeError, "start_response: exc_info is what sys.exc_info() returns in an except clause");
        return;
    }
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(value)), value); // which has its traceback
}

} // namespace

void Call::begin(const cppcorn_request& request) {
    request_ = &request;
    head_.clear();
    input_.begin(request);
    has_begun_ = is_gone_ = is_full_ = false;
}

// ---- The head

bool Call::start_response(PyObject* status, PyObject* headers, PyObject* exc_info) {
    const bool has_failed = exc_info != nullptr && exc_info != Py_None;
    if (has_failed && has_begun_) { // nothing can take its place any more
        raise_again(exc_info);
        return false;
    }
    if (!has_failed && head_.is_set()) {
        PyErr_SetString(PyExc_AssertionError, "start_response was called twice, the second time without exc_info");
        return false;
    }
    return head_.set(status, headers);
}

bool Call::has_no_body() const {
    return !head_.may_have_body() || view(request_->method) == "HEAD";
}

// `size`: of the body, if that is known.
bool Call::begin_response(std::optional<std::uint64_t> size) {
    if (!head_.is_set()) {
        PyErr_SetString(PyExc_AssertionError, "the app did not call start_response");
        return false;
    }
    const bool is_head_without_body = size == 0 && view(request_->method) == "HEAD"; // the app may have left it out
    const bool is_told = size && !head_.has_length() && head_.may_have_body() && !is_head_without_body;
    const auto& fields = head_.fields(is_told ? &*size : nullptr);
    const std::string_view reason = head_.reason();
    int result = 0;
    {
        const ServerTurn turn(ServerTurn::Gil::kept);
        result = host_.start_with_reason(request_, head_.status(), reason.data(), reason.size(), fields.data(),
                                         fields.size());
    }
    if (result != 0) {
        PyErr_Format(PyExc_ValueError, "the response's status or headers cannot be sent (errno %d)", -result);
        return false;
    }
    return has_begun_ = true;
}

// ---- The body

bool Call::accepted(int result) {
    if (result == -EPIPE || result == -ETIMEDOUT) is_gone_ = true;
    if (result == -EMSGSIZE) is_full_ = true; // which the server logs
    if (result >= 0 || is_gone_ || is_full_) return true;
    errno = -result;
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
}

bool Call::send_bytes(std::string_view bytes, bool flush, bool may_wait) {
    int result = 0;
    if (may_wait) {
        const RequestTimer::Pause pause(timer_);
        const ServerTurn turn(ServerTurn::Gil::released);
        result = host_.write(request_, bytes.data(), bytes.size());
        if (flush && result == 0) result = host_.flush(request_);
    } else {
        const ServerTurn turn(ServerTurn::Gil::kept);
        result = host_.write(request_, bytes.data(), bytes.size());
    }
    return accepted(result);
}

bool Call::write(PyObject* piece) {
    const auto bytes = bytes_of(piece);
    if (!bytes || (!has_begun_ && !begin_response(std::nullopt))) return false;
    if (!bytes->empty() && !is_gone_ && !send_bytes(*bytes, true, true)) return false;
    if (!is_gone_) return true;
    errno = EPIPE;
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
}

bool Call::send_piece(PyObject* piece) {
    const auto bytes = bytes_of(piece);
    if (!bytes) return false;
    if (bytes->empty()) return true;
    return (has_begun_ || begin_response(std::nullopt)) && send_bytes(*bytes, true, true);
}

bool Call::send_body(PyObject* result, PyObject* file_wrapper_type, PyObject* real_file) {
    const bool is_list = PyList_CheckExact(result) != 0;
    if (is_list || PyTuple_CheckExact(result) != 0) return send_pieces(result, is_list);
    if (reinterpret_cast<PyObject*>(Py_TYPE(result)) == file_wrapper_type) {
        if (const auto sent = send_file(result, real_file)) return *sent;
        if (PyErr_Occurred() != nullptr) return false;
    }
    if (result == Py_None || PyUnicode_Check(result) != 0 || PyBytes_Check(result) != 0) {
        PyErr_Format(PyExc_TypeError, "the app returned %R; a WSGI body is an iterable of bytes, such as a list of one",
                     Py_TYPE(result));
        return false;
    }
    return send_iterated(result);
}

// All is there: the length is known, and nothing has to be sent before the end.
bool Call::send_pieces(PyObject* result, bool is_list) {
    const Py_ssize_t count = is_list ? PyList_Size(result) : PyTuple_Size(result);
    const auto piece_at = [&](Py_ssize_t i) {
        return is_list ? PyList_GetItem(result, i) : PyTuple_GetItem(result, i);
    };
    std::uint64_t size = 0;
    for (Py_ssize_t i = 0; i < count; ++i) {
        const auto bytes = bytes_of(piece_at(i));
        if (!bytes) return false;
        size += bytes->size();
    }
    if (!has_begun_ && !begin_response(size)) return false;
    if (has_no_body()) return true;
    for (Py_ssize_t i = 0; i < count && !is_gone_; ++i) {
        // Another thread may change the list while a large piece is sent.
        const bool is_there = !is_list || i < PyList_Size(result);
        const Ref piece = Ref::share(is_there ? piece_at(i) : nullptr);
        if (!piece) break; // the server logs that it is too short
        const auto bytes = bytes_of(piece.get());
        if (!bytes || (!bytes->empty() && !send_bytes(*bytes, false, size >= large_body))) return false;
    }
    return true;
}

bool Call::send_iterated(PyObject* result) {
    const Ref iterator = Ref::take(PyObject_GetIter(result));
    if (!iterator) return false;
    while (const Ref piece = Ref::take(PyIter_Next(iterator.get()))) {
        if (!send_piece(piece.get())) return false;
        if (is_gone_ || is_full_ || (has_begun_ && has_no_body())) return true;
    }
    if (PyErr_Occurred() != nullptr) return false;
    return has_begun_ || begin_response(0);
}

std::optional<bool> Call::send_file(PyObject* wrapper, PyObject* real_file) {
    const Ref found = Ref::take(PyObject_CallFunctionObjArgs(real_file, wrapped_file(wrapper), nullptr));
    if (!found || found.get() == Py_None) return std::nullopt;
    int fd = -1;
    long long position = 0;
    struct stat status {};
    if (PyArg_ParseTuple(found.get(), "iL", &fd, &position) == 0 || ::fstat(fd, &status) != 0) return std::nullopt;
    if (!S_ISREG(status.st_mode) || position > status.st_size) return std::nullopt;
    auto size = static_cast<std::uint64_t>(status.st_size - position);
    if (!has_begun_ && !begin_response(size)) return false;
    if (has_no_body()) return true;
    if (head_.has_length()) size = std::min(size, head_.length());
    int result = 0;
    {
        const RequestTimer::Pause pause(timer_);
        const ServerTurn turn(ServerTurn::Gil::released);
        result = host_.send_file(request_, fd, position, static_cast<std::int64_t>(size));
    }
    return accepted(result);
}

void Call::finish() {
    const RequestTimer::Pause pause(timer_);
    const ServerTurn turn(ServerTurn::Gil::released);
    host_.finish(request_);
}

void Call::answer(int status, std::string_view text) {
    const std::string length = std::to_string(text.size());
    const cppcorn_field fields[] = {{{"Content-Type", 12}, {"text/plain", 10}},
                                    {{"Content-Length", 14}, {length.data(), length.size()}}};
    const ServerTurn turn(ServerTurn::Gil::kept);
    if (host_.start(request_, status, fields, 2) != 0) return;
    has_begun_ = true;
    host_.write(request_, text.data(), text.size());
}

} // namespace cppcorn::python

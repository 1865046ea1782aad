#include "bridges/python/input.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bridges/python/call.hpp"
#include "bridges/python/gil.hpp"
#include "bridges/python/type_spec.hpp"

namespace cppcorn::python {
namespace {

constexpr std::size_t least_read = 8 * 1024;
constexpr std::size_t most_read = 256 * 1024;
constexpr std::size_t most_kept = 1024 * 1024; // of memory, for the next request

// Others can run while one thread waits for the client, and would find the buffer in the midst of a change.
class Reading {
  public:
    explicit Reading(bool& is_reading) : is_reading_(is_reading), is_first_(!std::exchange(is_reading, true)) {}
    ~Reading() {
        if (is_first_) is_reading_ = false;
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    // False, with an exception set, if another thread is reading.
    bool may_go_on() const {
        if (!is_first_) PyErr_SetString(PyExc_RuntimeError, "wsgi.input: another thread is reading it");
        return is_first_;
    }

  private:
    bool& is_reading_;
    const bool is_first_;
};

std::size_t bytes_of(Py_ssize_t limit) {
    return limit < 0 ? SIZE_MAX : static_cast<std::size_t>(limit);
}

} // namespace

void Input::begin(const cppcorn_request& request) {
    request_ = &request;
    if (buffer_.capacity() > most_kept) buffer_ = {};
    buffer_.clear();
    at_ = 0;
    is_at_end_ = request.content_length == 0;
    error_ = 0;
}

// Reads more of the body. False at its end, or with an exception set.
bool Input::fill(std::size_t wanted) {
    if (is_at_end_ || error_ != 0) return false;
    if (at_ >= rest().size()) { // no more is moved than was read
        buffer_.erase(0, at_);
        at_ = 0;
    }
    const std::size_t before = buffer_.size();
    buffer_.resize(before + std::clamp(wanted, least_read, most_read));
    std::int64_t got = 0;
    {
        const RequestTimer::Pause pause(timer_);
        const ServerTurn turn(ServerTurn::Gil::released);
        got = host_.read(request_, buffer_.data() + before, buffer_.size() - before);
    }
    buffer_.resize(before + static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    is_at_end_ = got == 0;
    if (got < 0) error_ = static_cast<int>(-got);
    return got > 0;
}

Ref Input::give(std::size_t size) {
    Ref bytes = Ref::take(PyBytes_FromStringAndSize(buffer_.data() + at_, static_cast<Py_ssize_t>(size)));
    at_ += size;
    return bytes;
}

Ref Input::failure() const {
    errno = error_;
    return Ref::take(PyErr_SetFromErrno(PyExc_OSError));
}

Ref Input::read(Py_ssize_t size) {
    const Reading reading(is_reading_);
    return reading.may_go_on() ? take(bytes_of(size)) : Ref();
}

Ref Input::take(std::size_t most) {
    while (rest().size() < most && fill(most - rest().size())) continue;
    if (error_ != 0 && rest().size() < most) return failure();
    return give(std::min(most, rest().size()));
}

Ref Input::readline(Py_ssize_t limit) {
    const Reading reading(is_reading_);
    return reading.may_go_on() ? take_line(bytes_of(limit)) : Ref();
}

Ref Input::take_line(std::size_t most) {
    std::size_t searched = 0;
    std::size_t end = 0;
    do {
        end = rest().find('\n', searched);
        searched = rest().size();
    } while (end == std::string_view::npos && searched < most && fill(least_read));
    if (end == std::string_view::npos && error_ != 0 && searched < most) return failure();
    const std::size_t size = end == std::string_view::npos ? rest().size() : end + 1;
    return give(std::min(size, most));
}

Ref Input::readlines(Py_ssize_t hint) {
    Ref lines = Ref::take(PyList_New(0));
    Py_ssize_t total = 0;
    while (lines) {
        const Ref line = readline(-1);
        if (!line) return {};
        const Py_ssize_t size = PyBytes_Size(line.get());
        if (size == 0) break;
        if (PyList_Append(lines.get(), line.get()) != 0) return {};
        total += size;
        if (hint > 0 && total >= hint) break;
    }
    return lines;
}

// ---- The object

namespace {

// Of read() and its like: an int, None, or nothing, which may be named. False with an exception set.
bool read_size(PyObject* args, PyObject* keywords, const char* format, const char* name, Py_ssize_t& size) {
    const char* const names[] = {name, nullptr};
    PyObject* given = Py_None;
    if (PyArg_ParseTupleAndKeywords(args, keywords, format, const_cast<char**>(names), &given) == 0) return false;
    size = -1;
    if (given == Py_None) return true;
    size = PyNumber_AsSsize_t(given, PyExc_OverflowError);
    return size != -1 || PyErr_Occurred() == nullptr;
}

PyObject* input_read(PyObject* self, PyObject* args, PyObject* keywords) {
    Py_ssize_t size = 0;
    Call* const call = call_of(self, "wsgi.input");
    if (call == nullptr || !read_size(args, keywords, "|O:read", "size", size)) return nullptr;
    return contained([&] { return call->input().read(size); }).release();
}

PyObject* input_readline(PyObject* self, PyObject* args, PyObject* keywords) {
    Py_ssize_t size = 0;
    Call* const call = call_of(self, "wsgi.input");
    if (call == nullptr || !read_size(args, keywords, "|O:readline", "size", size)) return nullptr;
    return contained([&] { return call->input().readline(size); }).release();
}

PyObject* input_readlines(PyObject* self, PyObject* args, PyObject* keywords) {
    Py_ssize_t hint = 0;
    Call* const call = call_of(self, "wsgi.input");
    if (call == nullptr || !read_size(args, keywords, "|O:readlines", "hint", hint)) return nullptr;
    return contained([&] { return call->input().readlines(hint); }).release();
}

PyObject* input_iter(PyObject* self) {
    Py_INCREF(self);
    return self;
}

PyObject* input_next(PyObject* self) {
    Call* const call = call_of(self, "wsgi.input");
    if (call == nullptr) return nullptr;
    Ref line = contained([&] { return call->input().readline(-1); });
    return line && PyBytes_Size(line.get()) == 0 ? nullptr : line.release();
}

PyMethodDef input_methods[] = {
    {"read", reinterpret_cast<PyCFunction>(slot(input_read)), METH_VARARGS | METH_KEYWORDS,
     "Reads that many bytes, or all that are left."},
    {"readline", reinterpret_cast<PyCFunction>(slot(input_readline)), METH_VARARGS | METH_KEYWORDS,
     "Reads a line, or that many bytes of it."},
    {"readlines", reinterpret_cast<PyCFunction>(slot(input_readlines)), METH_VARARGS | METH_KEYWORDS,
     "Reads all lines, or lines of that many bytes together."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot input_slots[] = {
    {Py_tp_dealloc, slot(free_object)},
    {Py_tp_iter, slot(input_iter)},
    {Py_tp_iternext, slot(input_next)},
    {Py_tp_methods, input_methods},
    {0, nullptr},
};

PyType_Spec input_spec = {"cppcorn.Input", sizeof(CallObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, input_slots};

} // namespace

Ref make_input_type() {
    return Ref::take(PyType_FromSpec(&input_spec));
}

} // namespace cppcorn::python

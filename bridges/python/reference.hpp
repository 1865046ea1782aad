// The owner of one reference to a Python object. Move-only, but for share(). All of it with the GIL held.
#pragma once

#include <utility>

#include "bridges/python/api.hpp"

namespace cppcorn::python {

class Ref {
  public:
    Ref() = default;
    // A new reference, as most of Python's functions return it; null, with an exception set, where they failed.
    static Ref take(PyObject* owned) { return Ref(owned); }
    // One more reference to what somebody else owns.
    static Ref share(PyObject* borrowed) {
        Py_XINCREF(borrowed);
        return Ref(borrowed);
    }
    Ref(Ref&& other) noexcept : object_(other.release()) {}
    Ref& operator=(Ref&& other) noexcept {
        Py_XDECREF(std::exchange(object_, other.release()));
        return *this;
    }
    Ref(const Ref&) = delete;
    Ref& operator=(const Ref&) = delete;
    ~Ref() { Py_XDECREF(object_); }

    PyObject* get() const { return object_; }
    PyObject* release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    explicit Ref(PyObject* owned) : object_(owned) {}

    PyObject* object_ = nullptr;
};

} // namespace cppcorn::python

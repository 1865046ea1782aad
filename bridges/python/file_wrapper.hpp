// wsgi.file_wrapper: an iterator over what an object with read() gives. An app that returns one of a real file has it
// sent by the kernel.
#pragma once

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"

namespace cppcorn::python {

// The type. Null with an exception set where it cannot be made.
Ref make_file_wrapper_type();

// What the wrapper, an object of that type, was made for. Borrowed.
PyObject* wrapped_file(PyObject* wrapper);

} // namespace cppcorn::python

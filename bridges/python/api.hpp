// Python's C interface: the limited one, so that one build of the module serves every Python from 3.10 on. To be
// included before any other header, as Python.h asks for it.
#pragma once

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>

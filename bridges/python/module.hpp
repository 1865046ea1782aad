// The extension module cppcorn._cppcorn: the whole server, which the interpreter that has imported it hosts, and what
// apps call of it.
#pragma once

#include "bridges/python/api.hpp"

PyMODINIT_FUNC PyInit__cppcorn(void);

// What fmt would else compile in each source that formats: see cmake/include/fmt/format.h.
#pragma once

#include <fmt/format.h>

// Half of a module of several apps; the other half is multi_one.cpp.
#include <cppcorn/app.hpp>

using namespace cppcorn;

Response two(Request&) {
    return {200, {{"Content-Type", "text/plain"}}, "two\n"};
}
CPPCORN_APP(two)

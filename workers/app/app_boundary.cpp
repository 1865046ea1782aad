#include "workers/app/app_boundary.hpp"

#include <cstdint>
#include <exception>

#include <cxxabi.h>
#include <unwind.h>

namespace {

// "GNUCC++" and a byte: thrown by the C++ library that this program uses, or by another copy of it.
bool is_of_our_kind(_Unwind_Exception_Class kind) {
    return static_cast<std::uint64_t>(kind) >> 8 == 0x474e5543432b2b;
}

} // namespace

// What the unwinder asks at call_app()'s frame while it looks for a handler: until it has one, the stack is as it was
// at the throw. Also reached by pthread_exit and a cancelled thread, which would unwind the server.
extern "C" [[gnu::visibility("hidden"), gnu::used]] _Unwind_Reason_Code cppcorn_app_personality(
    int, _Unwind_Action actions, _Unwind_Exception_Class kind, _Unwind_Exception* exception, _Unwind_Context*) {
    const bool is_forced = (actions & _UA_FORCE_UNWIND) != 0;
    // So that the terminate handler can tell what it was.
    if (!is_forced && is_of_our_kind(kind)) __cxxabiv1::__cxa_begin_catch(exception);
    std::terminate();
}

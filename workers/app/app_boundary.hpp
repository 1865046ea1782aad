// The way into the app's code: each function of an app, of its module and of the dynamic loader, which runs the app's
// constructors and destructors, is called through call_app().
#pragma once

#include <type_traits>
#include <utility>

#include "workers/app/app_fork.hpp"

namespace cppcorn {

// No exception leaves the app by this call. One that tries ends the process by std::terminate, as the C interface says,
// and before any frame is unwound: the crash report shows where it was thrown. A `noexcept` function would do the
// first, but compilers may run the destructors up to it first, and the frames that threw are gone by then.
//
// Nor does a child that the app forked meanwhile leave it: it ends there.
//
// Not to be inlined, nor to end in a jump: the frame is what stops the exception.
#if !defined(__ARM_EABI_UNWINDER__)

template <class Result, class... Parameters>
[[gnu::noinline]] Result call_app(Result (*function)(Parameters...), std::type_identity_t<Parameters>... arguments) {
    // The compiler needs no personality of its own here: there is nothing to catch or to destroy.
    asm volatile(".cfi_personality 0x1b, cppcorn_app_personality");
    if constexpr (std::is_void_v<Result>) {
        function(arguments...);
        if (is_fork_of_worker()) [[unlikely]]
            end_fork_of_worker();
    } else {
        const Result result = function(arguments...);
        if (is_fork_of_worker()) [[unlikely]]
            end_fork_of_worker();
        return result;
    }
}

#else // unwinds by tables of its own

template <class Result, class... Parameters>
[[gnu::noinline]] Result call_app(Result (*function)(Parameters...),
                                  std::type_identity_t<Parameters>... arguments) noexcept {
    struct EndOfFork {
        ~EndOfFork() {
            if (is_fork_of_worker()) [[unlikely]]
                end_fork_of_worker();
        }
    } end_of_fork;
    return function(arguments...);
}

#endif

} // namespace cppcorn

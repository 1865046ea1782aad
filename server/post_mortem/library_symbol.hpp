// A function of a library that may be missing.
#pragma once

#include <dlfcn.h>

namespace cppcorn {

template <class Function>
struct LibrarySymbol {
    Function* call = nullptr;

    // `is_complete` becomes false if the library, which may be null, has no such function.
    LibrarySymbol(void* library, const char* name, bool& is_complete)
        : call(reinterpret_cast<Function*>(library == nullptr ? nullptr : ::dlsym(library, name))) {
        is_complete = is_complete && call != nullptr;
    }
    template <class... Arguments>
    auto operator()(Arguments... arguments) const {
        return call(arguments...);
    }
};

} // namespace cppcorn

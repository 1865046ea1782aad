// The symbols that a module exports, and the macros that define them.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <cppcorn/abi.h>
#include <cppcorn/detail/exception_text.hpp>
#include <cppcorn/detail/factory.hpp>
#include <cppcorn/detail/served_app.hpp>
#include <cppcorn/log.hpp>

// Use each outside functions and anonymous namespaces, once per name. A module may have several.
//
//     CPPCORN_APP(app)                             the function or variable `app`, as mymodule:app
//     CPPCORN_APP_AS(name, expression)             an app or a factory; the expression is evaluated when it is loaded
//     CPPCORN_APP_CLASS(name, Class, Types...)     an object of that class; its constructor takes these arguments
//
// A function or variable is used where it is. Anything else is moved or built into place, and destroyed in the end.
#define CPPCORN_APP(app) CPPCORN_APP_AS(app, app)

#define CPPCORN_APP_AS(name, ...)                                                                \
    extern "C" CPPCORN_EXPORT int cppcorn_app_##name(cppcorn_load* load) {                       \
        return ::cppcorn::detail::enter(load, []() -> decltype(auto) { return (__VA_ARGS__); }); \
    }

#define CPPCORN_APP_CLASS(name, ...)                                       \
    extern "C" CPPCORN_EXPORT int cppcorn_app_##name(cppcorn_load* load) { \
        return ::cppcorn::detail::enter_class<__VA_ARGS__>(load);          \
    }

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

#ifdef __clang__
#define CPPCORN_COMPILER "clang " __clang_version__
#else
#define CPPCORN_COMPILER "gcc " __VERSION__
#endif

inline constexpr cppcorn_module_info module_info{
    sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, CPPCORN_COMPILER};

#undef CPPCORN_COMPILER

// `make` makes the app from the arguments.
template <class Make>
void serve(cppcorn_load& load, Make make) {
    if (load.host->abi_major != CPPCORN_ABI_MAJOR) {
        throw std::runtime_error("built for ABI " + std::to_string(CPPCORN_ABI_MAJOR) + "; this server speaks ABI " +
                                 std::to_string(load.host->abi_major));
    }
    module_host.store(load.host, std::memory_order_release);
    using Made = std::invoke_result_t<Make&, const Arguments&>;
    using Served = ServedApp<std::conditional_t<std::is_lvalue_reference_v<Made>, Made, std::remove_reference_t<Made>>>;
    Served::give(std::make_unique<Served>(*load.host, std::make_unique<Arguments>(load), std::move(make)), *load.app);
}

template <class Call>
int guarded_entry(cppcorn_load* load, Call call) noexcept {
    try {
        call();
        return 0;
    } catch (...) {
        std::snprintf(load->error, load->error_room, "%s", exception_message().c_str());
        return -EINVAL;
    }
}

template <class Get>
int enter(cppcorn_load* load, Get get) noexcept {
    using Given = decltype(get());
    static_assert(App<Given> || Factory<Given>,
                  "neither an app (Response(Request&), or Body(const Environ&, StartResponse&)) nor a function that "
                  "takes literal arguments and returns one");
    return guarded_entry(load, [&] {
        if constexpr (App<Given>) {
            serve(*load, [&](const Arguments& arguments) -> decltype(auto) {
                arguments.check_count(0, 0);
                return get();
            });
        } else if constexpr (Factory<Given>) {
            decltype(auto) make = get();
            using Parameters = typename Signature<std::remove_cvref_t<Given>>::Parameters;
            serve(*load,
                  [&](const Arguments& arguments) -> decltype(auto) { return apply(arguments, Parameters{}, make); });
        }
    });
}

template <class Class, class... Parameters>
int enter_class(cppcorn_load* load) noexcept {
    static_assert(App<Class>,
                  "the class has neither Response operator()(Request&) nor Body operator()(const Environ&, "
                  "StartResponse&)");
    return guarded_entry(load, [&] {
        serve(*load, [](const Arguments& arguments) -> Class {
            auto make = [](auto&&... values) { return Class(std::forward<decltype(values)>(values)...); };
            return apply(arguments, TypeList<Parameters...>{}, make);
        });
    });
}

} // namespace detail
} // namespace kit
} // namespace cppcorn

// Emitted in every source that includes this, and kept once per module.
extern "C" CPPCORN_EXPORT __attribute__((used)) inline const cppcorn_module_info* cppcorn_module_info_v1() {
    return &cppcorn::detail::module_info;
}

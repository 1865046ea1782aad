// Which callables are apps, by their types.
#pragma once

#include <concepts>
#include <type_traits>

#include <cppcorn/body.hpp>
#include <cppcorn/environ.hpp>
#include <cppcorn/request.hpp>
#include <cppcorn/response.hpp>
#include <cppcorn/start_response.hpp>
#include <cppcorn/worker.hpp>

namespace cppcorn {
inline namespace kit {

// Response app(Request&)
template <class T>
concept RequestApp = std::invocable < std::remove_reference_t<T>
&, Request& > &&std::convertible_to<std::invoke_result_t<std::remove_reference_t<T>&, Request&>, Response>;

// Body app(const Environ&, StartResponse&)
template <class T>
concept WsgiApp = std::invocable < std::remove_reference_t<T>
&, const Environ&,
    StartResponse& >
        &&std::convertible_to<std::invoke_result_t<std::remove_reference_t<T>&, const Environ&, StartResponse&>, Body>;

// Either. A function, a lambda, an object of a class with operator(), a std::function.
template <class T>
concept App = RequestApp<T> || WsgiApp<T>;

namespace [[gnu::visibility("hidden")]] detail {

// The hooks are optional: a class has them if it has functions of these names.
template <class T>
void call_worker_start(T& app, const Worker& worker) {
    if constexpr (requires { app.worker_start(worker); }) {
        app.worker_start(worker);
    } else if constexpr (requires { app.worker_start(); }) {
        app.worker_start();
    }
}

template <class T>
void call_worker_exit(T& app) {
    if constexpr (requires { app.worker_exit(); }) app.worker_exit();
}

} // namespace detail
} // namespace kit
} // namespace cppcorn

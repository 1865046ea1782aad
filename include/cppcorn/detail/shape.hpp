// Which callables are apps, by their types.
#pragma once

#include <concepts>
#include <optional>
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

// Asked before a large body is read: std::optional<Response> before_body(Request&). A response refuses the request by its
// head; std::nullopt takes the body.
template <class T>
concept AsksBeforeBody = requires(std::remove_reference_t<T>& app, Request& request) {
    { app.before_body(request) } -> std::convertible_to<std::optional<Response>>;
};

namespace [[gnu::visibility("hidden")]] detail {

// static constexpr bool reads_as_it_arrives = true: large bodies are not gathered before the app is called.
template <class T>
constexpr bool reads_as_it_arrives() {
    if constexpr (requires { std::remove_cvref_t<T>::reads_as_it_arrives; }) {
        return std::remove_cvref_t<T>::reads_as_it_arrives;
    } else {
        return false;
    }
}

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

// Apps made from other apps.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <cppcorn/detail/shape.hpp>

namespace cppcorn {
inline namespace kit {

// An app around another app, which it owns; made by wrap(). Has the shape of the inner app and passes its hooks on.
template <App Inner, class Around>
class Wrapped {
  public:
    Wrapped(Inner inner, Around around) : inner_(std::move(inner)), around_(std::move(around)) {}

    Response operator()(Request& request) requires RequestApp<Inner> { return around_(inner_, request); }

    Body operator()(const Environ& env, StartResponse& start_response) requires WsgiApp<Inner> {
        return around_(inner_, env, start_response);
    }

    void worker_start(const Worker& worker) { detail::call_worker_start(inner_, worker); }
    void worker_exit() { detail::call_worker_exit(inner_); }

  private:
    Inner inner_;
    Around around_;
};

// `around` is called in the inner app's place, with the inner app in front of the arguments:
//
//     template <cppcorn::App Inner>
//     auto with_header(Inner inner) {
//         return cppcorn::wrap(std::move(inner), [](Inner& app, cppcorn::Request& request) {
//             cppcorn::Response response = app(request);
//             response.headers.set("X-Served-By", "me");
//             return response;
//         });
//     }
//
// A lambda that calls the inner app works too, but it hides that app's worker_start and worker_exit. What the inner app
// throws passes through `around`.
template <App Inner, class Around>
auto wrap(Inner inner, Around around) {
    return Wrapped<Inner, Around>(std::move(inner), std::move(around));
}

// An app with hooks; made by with_hooks(). Owns the app and the hooks.
template <App Inner, class Start, class Exit>
class Hooked {
  public:
    Hooked(Inner inner, Start start, Exit exit)
        : inner_(std::move(inner)), start_(std::move(start)), exit_(std::move(exit)) {}

    Response operator()(Request& request) requires RequestApp<Inner> { return inner_(request); }

    Body operator()(const Environ& env, StartResponse& start_response) requires WsgiApp<Inner> {
        return inner_(env, start_response);
    }

    void worker_start(const Worker& worker) {
        if constexpr (std::invocable<Start&, const Worker&>) {
            start_(worker);
        } else {
            start_();
        }
        detail::call_worker_start(inner_, worker);
    }

    void worker_exit() {
        detail::call_worker_exit(inner_);
        exit_();
    }

  private:
    Inner inner_;
    Start start_;
    Exit exit_;
};

// Runs `start(worker)` or `start()` in each worker before its first request, and `exit()` when the worker ends in good
// order. The inner app's own hooks run in between: after `start`, before `exit`. If `start` throws, the exception is
// logged and this worker cannot serve. If `exit` throws, the exception is logged.
template <App Inner, class Start, class Exit>
auto with_hooks(Inner inner, Start start, Exit exit) {
    return Hooked<Inner, Start, Exit>(std::move(inner), std::move(start), std::move(exit));
}
template <App Inner, class Start>
auto with_hooks(Inner inner, Start start) {
    return with_hooks(std::move(inner), std::move(start), [] {});
}

} // namespace kit
} // namespace cppcorn

// Apps made from other apps.
#pragma once

#include <concepts>
#include <optional>
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

    static constexpr bool reads_as_it_arrives = detail::reads_as_it_arrives<Inner>();
    std::optional<Response> before_body(Request& request) requires AsksBeforeBody<Inner> {
        return inner_.before_body(request);
    }

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

    static constexpr bool reads_as_it_arrives = detail::reads_as_it_arrives<Inner>();
    std::optional<Response> before_body(Request& request) requires AsksBeforeBody<Inner> {
        return inner_.before_body(request);
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

// An app that is asked before a large body is read; made by with_before_body(). Owns the app and the function.
template <App Inner, class Ask>
class Asked {
  public:
    Asked(Inner inner, Ask ask) : inner_(std::move(inner)), ask_(std::move(ask)) {}

    Response operator()(Request& request) requires RequestApp<Inner> { return inner_(request); }

    Body operator()(const Environ& env, StartResponse& start_response) requires WsgiApp<Inner> {
        return inner_(env, start_response);
    }

    void worker_start(const Worker& worker) { detail::call_worker_start(inner_, worker); }
    void worker_exit() { detail::call_worker_exit(inner_); }

    static constexpr bool reads_as_it_arrives = detail::reads_as_it_arrives<Inner>();
    std::optional<Response> before_body(Request& request) {
        std::optional<Response> refusal = ask_(request);
        if constexpr (AsksBeforeBody<Inner>) {
            if (!refusal) refusal = inner_.before_body(request);
        }
        return refusal;
    }

  private:
    Inner inner_;
    Ask ask_;
};

// Calls `ask(request)` before the body of a request is read, where that is large, chunked, or expected to be asked for.
// A Response refuses the request by its head; std::nullopt takes the body. The request's body cannot be read there.
template <App Inner, class Ask>
auto with_before_body(Inner inner, Ask ask) {
    return Asked<Inner, Ask>(std::move(inner), std::move(ask));
}

// An app that is called with the first part of a large body; made by reading_as_it_arrives().
template <App Inner>
class ReadingAsItArrives {
  public:
    explicit ReadingAsItArrives(Inner inner) : inner_(std::move(inner)) {}

    Response operator()(Request& request) requires RequestApp<Inner> { return inner_(request); }

    Body operator()(const Environ& env, StartResponse& start_response) requires WsgiApp<Inner> {
        return inner_(env, start_response);
    }

    void worker_start(const Worker& worker) { detail::call_worker_start(inner_, worker); }
    void worker_exit() { detail::call_worker_exit(inner_); }

    static constexpr bool reads_as_it_arrives = true;
    std::optional<Response> before_body(Request& request) requires AsksBeforeBody<Inner> {
        return inner_.before_body(request);
    }

  private:
    Inner inner_;
};

// A body that is larger than --body-buffer is not gathered before the app is called: the app reads it as it arrives,
// and the worker waits for the client meanwhile. For apps that pass on what they read.
template <App Inner>
auto reading_as_it_arrives(Inner inner) {
    return ReadingAsItArrives<Inner>(std::move(inner));
}

} // namespace kit
} // namespace cppcorn

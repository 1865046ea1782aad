// An app in the form that the server calls: the functions of cppcorn_app, which let no exception out.
#pragma once

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include <cppcorn/abi.h>
#include <cppcorn/detail/arguments.hpp>
#include <cppcorn/detail/exception_text.hpp>
#include <cppcorn/detail/response_sender.hpp>
#include <cppcorn/detail/shape.hpp>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

template <RequestApp T>
void answer(T& app, Request& request, ResponseSender& sender) {
    Response response = app(request);
    sender.send(response.status, response.headers, response.body);
}

inline int status_of(const StartResponse& start_response) {
    if (!start_response.called()) throw std::logic_error("the app did not call start_response");
    return start_response.status();
}

template <WsgiApp T>
requires(!RequestApp<T>) void answer(T& app, Request& request, ResponseSender& sender) {
    const Environ env(request);
    StartResponse start_response;
    Body body = app(env, start_response);
    if (auto* const generator = body.get_if<Generator>()) {
        sender.send_late(*generator, [&] {
            const int status = status_of(start_response);
            sender.start(status, start_response.headers(), std::nullopt, start_response.reason());
            return status;
        });
    } else {
        const int status = status_of(start_response);
        sender.send(status, start_response.headers(), body, start_response.reason());
    }
}

// The client failed, and the app did not catch that.
inline int answer_body_error(int error, Request& request, ResponseSender& sender) {
    if (sender.begun() && error == ECONNRESET) return 0;
    if (sender.begun() || error == EPROTO) throw; // EPROTO: read in before_body, which is the app's mistake
    request.log(LogLevel::debug, std::strerror(error));
    if (request.input().failed()) return 0; // the server answers
    const int status = error == EFBIG ? 413 : error == ETIMEDOUT ? 408 : 400;
    Body body =
        Body::borrowed(error == EFBIG ? "The request's body is too large.\n" : "The request's body is broken.\n");
    sender.send(status, {{"Content-Type", "text/plain"}}, body);
    return 0;
}

inline int fail(const Request& request, std::string_view reason) noexcept {
    request.host().fail(&request.raw(), reason.data(), reason.size());
    return -ECANCELED;
}

// What `handle` returns for the exception that is being handled. Call it in a catch block only.
inline int answer_exception(Request& request, ResponseSender& sender) noexcept {
    try {
        try {
            throw;
        } catch (const ClientGone&) {
            return 0;
        } catch (const BodyError& error) {
            return answer_body_error(error.code().value(), request, sender);
        }
    } catch (const ClientGone&) {
        return 0;
    } catch (const std::bad_alloc&) {
        return fail(request, "out of memory");
    } catch (...) {
        return fail(request, exception_text());
    }
}

// Owns the app and the arguments that it was made with. Refers to an app that is a function or variable of the module.
template <class Stored>
class ServedApp {
  public:
    using Callable = std::remove_reference_t<Stored>;

    template <class Make>
    ServedApp(const cppcorn_host& host, std::unique_ptr<Arguments> arguments, Make&& make)
        : host_(host), arguments_(std::move(arguments)), app_(make(*arguments_)) {}

    // Hands itself over to the server, which ends it with `destroy`. A field that is newer than ABI 1.0 has to be
    // looked for with CPPCORN_HAS: the server's table may be shorter than ours.
    static void give(std::unique_ptr<ServedApp> served, cppcorn_app& to) {
        to.self = served.release();
        to.handle = handle;
        to.worker_start = worker_start;
        to.worker_exit = worker_exit;
        to.destroy = destroy;
        if constexpr (reads_as_it_arrives<Stored>()) to.flags |= CPPCORN_READS_AS_IT_ARRIVES;
        if constexpr (AsksBeforeBody<Stored>) {
            if (CPPCORN_HAS(&to, cppcorn_app, before_body)) to.before_body = before_body;
        }
    }

  private:
    static ServedApp& at(void* self) { return *static_cast<ServedApp*>(self); }

    static int handle(void* self, const cppcorn_request* raw) noexcept {
        Request request(at(self).host_, *raw);
        ResponseSender sender(request);
        try {
            answer(at(self).app_, request, sender);
            return 0;
        } catch (...) {
            return answer_exception(request, sender);
        }
    }

    static int before_body(void* self, const cppcorn_request* raw) noexcept requires AsksBeforeBody<Stored> {
        Request request(at(self).host_, *raw);
        ResponseSender sender(request);
        try {
            std::optional<Response> refusal = at(self).app_.before_body(request);
            if (refusal) sender.send(refusal->status, refusal->headers, refusal->body);
            return 0;
        } catch (...) {
            return answer_exception(request, sender);
        }
    }

    static int worker_start(void* self, const cppcorn_worker* raw) noexcept {
        return guarded("worker_start", [&] { call_worker_start(at(self).app_, Worker(*raw)); });
    }

    static void worker_exit(void* self) noexcept {
        guarded("worker_exit", [&] { call_worker_exit(at(self).app_); });
    }

    static void destroy(void* self) noexcept { delete &at(self); }

    template <class Call>
    static int guarded(const char* name, Call call) noexcept {
        try {
            call();
            return 0;
        } catch (...) {
            log(LogLevel::error, std::string(name) + " failed: " + exception_text());
            return -ECANCELED;
        }
    }

    const cppcorn_host& host_;
    std::unique_ptr<Arguments> arguments_; // made first, destroyed last: the app may hold views into it
    Stored app_;
};

} // namespace detail
} // namespace kit
} // namespace cppcorn

// One request, as an app sees it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cppcorn/abi.h>
#include <cppcorn/detail/body_reader.hpp>
#include <cppcorn/errors.hpp>
#include <cppcorn/headers.hpp>
#include <cppcorn/log.hpp>
#include <cppcorn/query.hpp>

namespace cppcorn {
inline namespace kit {

namespace [[gnu::visibility("hidden")]] detail {

inline std::string_view view(const cppcorn_str& text) {
    return {text.data, text.size};
}

} // namespace detail

// The header fields of a request, in order, names as sent: for (const auto& [name, value] : request.fields()) …
// Owns nothing; valid as long as its request.
class RequestFields {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    class Iterator {
      public:
        explicit Iterator(const cppcorn_field* field) : field_(field) {}
        Field operator*() const { return {detail::view(field_->name), detail::view(field_->value)}; }
        Iterator& operator++() {
            ++field_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;

      private:
        const cppcorn_field* field_;
    };

    RequestFields(const cppcorn_field* fields, std::size_t count) : fields_(fields), count_(count) {}
    Iterator begin() const { return Iterator(fields_); }
    Iterator end() const { return Iterator(fields_ + count_); }
    std::size_t size() const { return count_; }

  private:
    const cppcorn_field* fields_;
    std::size_t count_;
};

// The server's request, and what the server does for it. The request and all views that it gives out are valid until
// the response is complete, so also in the body's stream or generator. Its functions are for the thread that called the
// app; other threads may read the views.
class Request {
  public:
    Request(const cppcorn_host& host, const cppcorn_request& request)
        : host_(host), request_(request), input_(host, request) {}
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    std::string_view method() const { return detail::view(request_.method); } // "GET"
    std::string_view target() const { return detail::view(request_.target); } // as sent: "/a%20b?x=1"
    std::string_view path() const { return detail::view(request_.path); }     // decoded: "/a b"; may hold any byte
    // Where the app is mounted, decoded: "/shop", or "". path() comes without it.
    std::string_view script_name() const { return detail::view(request_.script_name); }
    std::string_view query() const { return detail::view(request_.query); }         // as sent: "x=1"
    std::string_view scheme() const { return detail::view(request_.scheme); }       // "http" or "https"
    std::string_view authority() const { return detail::view(request_.authority); } // "example.org:8000", or ""
    std::string_view remote_address() const { return detail::view(request_.remote_address); } // "" on a unix socket
    std::uint32_t remote_port() const { return request_.remote_port; }                        // 0 on a unix socket
    unsigned http_minor() const { return request_.http_minor; }                               // 1 for HTTP/1.1

    // The decoded value of the query's first parameter of that name.
    std::optional<std::string> query_param(std::string_view name) const { return find_param(query(), name); }

    // The value of the first header field of that name, regardless of case.
    std::optional<std::string_view> header(std::string_view name) const {
        for (const auto& field : fields()) {
            if (detail::same_name(field.name, name)) return field.value;
        }
        return std::nullopt;
    }
    RequestFields fields() const { return {request_.fields, request_.field_count}; }

    // The body's size in bytes; std::nullopt if that shows only at its end (chunked).
    std::optional<std::uint64_t> content_length() const {
        if (request_.content_length < 0) return std::nullopt;
        return static_cast<std::uint64_t>(request_.content_length);
    }

    // Reads the next bytes of the body: at least one, or 0 at its end. Blocks until some arrive. Throws BodyError.
    std::size_t read(char* buffer, std::size_t size) { return input_.read(buffer, size); }
    std::size_t read(std::span<char> buffer) { return input_.read(buffer); }
    // Reads what is left of the body. Throws BodyError; its code is EFBIG if that is more than `max` bytes (1 MiB).
    std::string body(std::size_t max = BodyReader::default_max) { return input_.read_all(max); }
    BodyReader& input() { return input_; }

    // Writes one line to the error log, with the request's method and target behind it: "text (GET /x)".
    void log(LogLevel level, std::string_view text) const noexcept {
        host_.log(&request_, static_cast<int>(level), text.data(), text.size());
    }

    // The same for text of several lines or in other alphabets: UTF-8 stays as it is, and several lines are one record. A
    // server of ABI 1.0 escapes it all.
    void log_text(LogLevel level, std::string_view text) const noexcept {
        const auto write = CPPCORN_HAS(&host_, cppcorn_host, log_text) ? host_.log_text : host_.log;
        write(&request_, static_cast<int>(level), text.data(), text.size());
    }

    // Whether the client has closed its side of the connection: as a rule it is gone, and nobody waits for the answer.
    // Always false with a server of ABI 1.0.
    bool client_gone() const noexcept {
        return CPPCORN_HAS(&host_, cppcorn_host, client_gone) && host_.client_gone(&request_) == 1;
    }

    // Sends a 103 with these fields before the response, for a browser to fetch what the page will need:
    // {{"Link", "</style.css>; rel=preload"}}. Does nothing where the client has HTTP/1.0 or the server ABI 1.0. Throws
    // std::system_error if a field cannot be sent (EINVAL) or the response has begun (EALREADY), and ClientGone.
    void early_hints(const Headers& headers) const {
        if (!CPPCORN_HAS(&host_, cppcorn_host, early_hints)) return;
        std::vector<cppcorn_field> fields;
        for (const auto& [name, value] : headers) {
            fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
        }
        detail::check_sent(host_.early_hints(&request_, fields.data(), fields.size()), "cannot send early hints");
    }

    // Gives this request at least this long from now, in place of what is left of the server's --timeout.
    void extend_deadline(std::chrono::milliseconds time) const noexcept {
        const auto ms = std::clamp<std::int64_t>(time.count(), 0, UINT32_MAX);
        host_.extend_deadline(&request_, static_cast<std::uint32_t>(ms));
    }

    // The C tables beneath, for what this class does not offer. raw() is valid as long as this, host() for good.
    const cppcorn_request& raw() const { return request_; }
    const cppcorn_host& host() const { return host_; }

  private:
    const cppcorn_host& host_;
    const cppcorn_request& request_;
    BodyReader input_;
};

} // namespace kit
} // namespace cppcorn

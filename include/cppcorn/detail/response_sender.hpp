// Sends an app's status, headers and body with the host's functions.
#pragma once

#include <array>
#include <cerrno>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <cppcorn/abi.h>
#include <cppcorn/body.hpp>
#include <cppcorn/headers.hpp>
#include <cppcorn/request.hpp>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// Sends one response. Valid as long as its request, on that request's thread. Throws what Writer throws and what the
// app's stream or generator throws.
class ResponseSender {
  public:
    explicit ResponseSender(const Request& request)
        : host_(request.host()), request_(request.raw()), is_head_(request.method() == "HEAD") {}

    bool begun() const { return begun_; }

    void send(int status, const Headers& headers, Body& body, std::string_view reason = {}) {
        start(status, headers, body.size(), reason);
        if (!is_head_ && may_have_body(status)) write(body);
    }

    // WSGI lets an app call start_response as late as in the first step of its generator. So `head`, which calls
    // start(), runs only after that step.
    void send_late(Generator& generator, const std::function<int()>& head) {
        std::optional<std::string> piece;
        if (!is_head_) piece = generator();
        const int status = head();
        if (is_head_ || !may_have_body(status)) return;
        Writer writer(host_, request_);
        for (; piece.has_value(); piece = generator()) {
            writer.write(*piece);
            writer.flush();
        }
    }

    void start(int status, const Headers& headers, std::optional<std::size_t> size, std::string_view reason = {}) {
        // If the response may have no body, only the app knows the length.
        if (!may_have_body(status) || headers.contains("Content-Length")) size.reset();
        std::array<char, 20> digits;
        cppcorn_field length{{"Content-Length", 14}, {digits.data(), 0}};
        if (size.has_value()) {
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *size).ptr;
            length.value.size = static_cast<std::size_t>(end - digits.data());
        }
        start_with(status, reason, headers, size.has_value() ? &length : nullptr);
    }

  private:
    static constexpr std::size_t few = 16;

    static bool may_have_body(int status) { return status != 204 && status != 205 && status != 304; }

    void start_with(int status, std::string_view reason, const Headers& headers, const cppcorn_field* extra) {
        std::array<cppcorn_field, few> on_stack;
        std::vector<cppcorn_field> on_heap;
        cppcorn_field* fields = on_stack.data();
        if (headers.size() + 1 > few) {
            on_heap.resize(headers.size() + 1);
            fields = on_heap.data();
        }
        std::size_t count = 0;
        for (const auto& [name, value] : headers) {
            fields[count++] = {{name.data(), name.size()}, {value.data(), value.size()}};
        }
        if (extra != nullptr) fields[count++] = *extra;
        const bool has_reason = !reason.empty() && CPPCORN_HAS(&host_, cppcorn_host, start_with_reason);
        const int result = has_reason
                               ? host_.start_with_reason(&request_, status, reason.data(), reason.size(), fields, count)
                               : host_.start(&request_, status, fields, count);
        if (result < 0) {
            throw std::system_error(-result, std::generic_category(),
                                    "cannot send a response with status " + std::to_string(status) + " and " +
                                        std::to_string(count) + " header fields");
        }
        begun_ = true;
    }

    void write(Body& body) {
        Writer writer(host_, request_);
        if (const auto text = body.text()) {
            if (!text->empty()) writer.write(*text);
        } else if (auto* const pieces = body.get_if<std::vector<std::string>>()) {
            for (const auto& piece : *pieces) writer.write(piece);
        } else if (auto* const file = body.get_if<File>()) {
            writer.send_file(*file);
        } else if (auto* const stream = body.get_if<Stream>()) {
            (*stream)(writer);
        } else if (auto* const generator = body.get_if<Generator>()) {
            while (const auto piece = (*generator)()) {
                writer.write(*piece);
                writer.flush();
            }
        }
    }

    const cppcorn_host& host_;
    const cppcorn_request& request_;
    bool is_head_;
    bool begun_ = false;
};

} // namespace detail
} // namespace kit
} // namespace cppcorn

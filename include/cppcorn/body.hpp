// The body of a response: text, pieces of text, a file, or code that makes it.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <cppcorn/file.hpp>
#include <cppcorn/writer.hpp>

namespace cppcorn {
inline namespace kit {

using Stream = std::function<void(Writer&)>;
using Generator = std::function<std::optional<std::string>()>;

// Owns its text, pieces, file or function; borrowed() text excepted. Move-only.
//
// A stream or generator runs on the same thread, after the app has returned and while the request is still valid. It
// may capture the app's Request& or Environ& by reference, but none of the app's local variables. It does not run where
// the response has no body: for HEAD, 204, 205 and 304. What it throws is handled as if the app had thrown it.
class Body {
  public:
    Body() = default;
    Body(std::string text) : content_(std::move(text)) {}
    Body(std::string_view text) : content_(std::string(text)) {}
    Body(const char* text) : content_(std::string(text)) {}
    Body(std::nullptr_t) = delete;
    Body(std::vector<std::string> pieces) : content_(std::move(pieces)) {}
    Body(File file) : content_(std::move(file)) {}

    // Called once; what it writes is the body.
    template <class F>
    requires std::invocable<F&, Writer&> Body(F stream) : content_(Stream(std::move(stream))) {}

    // Called for one piece after another, until it returns std::nullopt. Each piece is sent at once.
    template <class F>
    requires(std::invocable<F&> && !std::invocable<F&, Writer&> &&
             std::convertible_to<std::invoke_result_t<F&>, std::optional<std::string>>) Body(F generator)
        : content_(Generator(std::move(generator))) {}

    // Text that is not copied. It must outlive the response: a constant, or text that the app keeps for good.
    static Body borrowed(std::string_view text) {
        Body body;
        body.content_ = text;
        return body;
    }

    // The content if it is of that kind, else null. Valid until the body changes. For middleware.
    template <class Kind>
    Kind* get_if() {
        return std::get_if<Kind>(&content_);
    }
    template <class Kind>
    const Kind* get_if() const {
        return std::get_if<Kind>(&content_);
    }

    // The text, owned or borrowed, if the body is text. Valid until the body changes.
    std::optional<std::string_view> text() const {
        if (const auto* const owned = get_if<std::string>()) return *owned;
        if (const auto* const borrowed = get_if<std::string_view>()) return *borrowed;
        return std::nullopt;
    }

    // The size in bytes; std::nullopt for a stream or generator, whose size shows only at its end.
    std::optional<std::size_t> size() const {
        if (const auto known = text()) return known->size();
        if (const auto* const file = get_if<File>()) return static_cast<std::size_t>(file->size());
        const auto* const pieces = get_if<std::vector<std::string>>();
        if (pieces == nullptr) return std::nullopt;
        std::size_t sum = 0;
        for (const auto& piece : *pieces) sum += piece.size();
        return sum;
    }

  private:
    std::variant<std::string, std::string_view, std::vector<std::string>, File, Stream, Generator> content_;
};

} // namespace kit
} // namespace cppcorn

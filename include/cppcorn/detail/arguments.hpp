// The literal arguments of an app spec, myapp:create("x", 2), as the C++ values that a factory takes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <cppcorn/abi.h>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// what() is the second half of a message; the server puts the call in front: "takes 2 arguments, got 1".
class ArgumentError : public std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;

template <class T>
constexpr bool is_text =
    std::same_as<T, std::string> || std::same_as<T, std::string_view> || std::same_as<T, const char*>;

template <class T>
constexpr bool is_character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                              std::same_as<T, char16_t> || std::same_as<T, char32_t>;

// How many arguments a factory with these parameters needs at least: optional ones at the end may be left out.
template <class... Parameters>
constexpr std::size_t least_count() {
    std::size_t position = 0;
    std::size_t least = 0;
    ((++position, least = is_optional<std::remove_cvref_t<Parameters>> ? least : position), ...);
    return least;
}

// Owns copies, so that views into the texts stay valid for as long as the app.
class Arguments {
  public:
    explicit Arguments(const cppcorn_load& load) : values_(load.args, load.args + load.arg_count) {
        texts_.reserve(values_.size());
        for (const cppcorn_value& value : values_) {
            const bool has_text = value.type == CPPCORN_TEXT;
            texts_.push_back(has_text ? std::string(value.text.data, value.text.size) : std::string());
        }
    }
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;

    void check_count(std::size_t least, std::size_t most) const {
        if (values_.size() >= least && values_.size() <= most) return;
        std::string takes = most == 0 ? "no" : std::to_string(most);
        if (least != most) takes = std::to_string(least) + " to " + takes;
        throw ArgumentError("takes " + takes + (most == 1 ? " argument, got " : " arguments, got ") +
                            std::to_string(values_.size()));
    }

    template <class T>
    T get(std::size_t index) const {
        if constexpr (is_optional<T>) {
            if (index >= values_.size() || values_[index].type == CPPCORN_NULL) return std::nullopt;
            return get_plain<typename T::value_type>(index, " or null");
        } else {
            return get_plain<T>(index, "");
        }
    }

  private:
    template <class T>
    T get_plain(std::size_t index, const char* or_null) const {
        const cppcorn_value& value = values_[index];
        if constexpr (std::same_as<T, bool>) {
            if (value.type != CPPCORN_BOOL) refuse(index, "true or false", or_null);
            return value.flag != 0;
        } else if constexpr (std::integral<T> && !is_character<T>) {
            if (value.type != CPPCORN_INTEGER) refuse(index, "a whole number", or_null);
            if (!std::in_range<T>(value.integer)) refuse_range<T>(index);
            return static_cast<T>(value.integer);
        } else if constexpr (std::floating_point<T>) {
            if (value.type == CPPCORN_INTEGER) return static_cast<T>(value.integer);
            if (value.type != CPPCORN_REAL) refuse(index, "a number", or_null);
            return static_cast<T>(value.real);
        } else {
            static_assert(is_text<T>,
                          "a factory takes text (std::string, std::string_view, const char*), whole numbers, double, "
                          "bool, and std::optional of these");
            if (value.type != CPPCORN_TEXT) refuse(index, "text", or_null);
            if constexpr (std::same_as<T, const char*>) return texts_[index].c_str();
            if constexpr (!std::same_as<T, const char*>) return T(texts_[index]);
        }
    }

    [[noreturn]] void refuse(std::size_t index, const char* wanted, const char* or_null) const {
        throw ArgumentError("argument " + std::to_string(index + 1) + " must be " + wanted + or_null + ", got " +
                            kind(values_[index]));
    }

    template <class T>
    [[noreturn]] void refuse_range(std::size_t index) const {
        throw ArgumentError(
            "argument " + std::to_string(index + 1) + " must be from " + std::to_string(std::numeric_limits<T>::min()) +
            " to " + std::to_string(std::numeric_limits<T>::max()) + ", got " + std::to_string(values_[index].integer));
    }

    static const char* kind(const cppcorn_value& value) {
        switch (value.type) {
            case CPPCORN_NULL:
                return "null";
            case CPPCORN_BOOL:
                return value.flag != 0 ? "true" : "false";
            case CPPCORN_INTEGER:
                return "a whole number";
            case CPPCORN_REAL:
                return "a number with a fraction";
            case CPPCORN_TEXT:
                return "text";
            default:
                return "a value of a kind that this app does not know";
        }
    }

    std::vector<cppcorn_value> values_;
    std::vector<std::string> texts_; // by the same index; "" where the value is not text
};

} // namespace detail
} // namespace kit
} // namespace cppcorn

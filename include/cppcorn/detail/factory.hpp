// A callable that makes an app from the literal arguments of an app spec.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <cppcorn/detail/arguments.hpp>
#include <cppcorn/detail/shape.hpp>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

template <class... Types>
struct TypeList {};

// The parameters and the result of a function or of an object with one operator().
template <class T>
struct Signature {};
template <class T>
requires requires {
    &T::operator();
}
struct Signature<T> : Signature<decltype(&T::operator())> {};
template <class R, class... P>
struct Signature<R(P...)> {
    using Result = R;
    using Parameters = TypeList<P...>;
};
template <class R, class... P>
struct Signature<R(P...) noexcept> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (*)(P...)> : Signature<R(P...)> {};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : Signature<R(P...)> {};
template <class T, class R, class... P>
struct Signature<R (T::*)(P...)> : Signature<R(P...)> {};
template <class T, class R, class... P>
struct Signature<R (T::*)(P...) const> : Signature<R(P...)> {};
template <class T, class R, class... P>
struct Signature<R (T::*)(P...) noexcept> : Signature<R(P...)> {};
template <class T, class R, class... P>
struct Signature<R (T::*)(P...) const noexcept> : Signature<R(P...)> {};

template <class T>
concept HasSignature = requires {
    typename Signature<std::remove_cvref_t<T>>::Result;
};

// Checks the number of arguments, then calls `make` with them as values of its parameters' types.
template <class Make, class... Parameters>
decltype(auto) apply(const Arguments& arguments, TypeList<Parameters...>, Make& make) {
    static_assert(
        ((!std::is_lvalue_reference_v<Parameters> || std::is_const_v<std::remove_reference_t<Parameters>>)&&...),
        "a factory takes its arguments by value or by reference to const");
    arguments.check_count(least_count<Parameters...>(), sizeof...(Parameters));
    return [&]<std::size_t... Index>(std::index_sequence<Index...>)->decltype(auto) {
        return make(arguments.get<std::remove_cvref_t<Parameters>>(Index)...);
    }
    (std::index_sequence_for<Parameters...>{});
}

} // namespace detail

// A callable that is not an app but returns one.
template <class T>
concept Factory = !App<T> && detail::HasSignature<T> && App<typename detail::Signature<std::remove_cvref_t<T>>::Result>;

} // namespace kit
} // namespace cppcorn

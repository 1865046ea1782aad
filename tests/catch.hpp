// One include for Catch2 2.13 (Debian 12) and 3.x (Debian 13). Contains("text") means a part of a string with both,
// and Approx is in no namespace.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <string>
#include <utility>

#include <catch2/catch_all.hpp>

// In 3.x Contains("text") looks for an element of a range. One overload for each kind of value, as the template of 3.x
// would else fit better.
namespace Catch::Matchers {

inline StringContainsMatcher Contains(const char* text) {
    return ContainsSubstring(text);
}
inline StringContainsMatcher Contains(const std::string& text) {
    return ContainsSubstring(text);
}
inline StringContainsMatcher Contains(std::string& text) {
    return ContainsSubstring(text);
}
inline StringContainsMatcher Contains(std::string&& text) {
    return ContainsSubstring(std::move(text));
}

} // namespace Catch::Matchers

using Catch::Approx; // as 2.13 has it
#else
#include <catch2/catch.hpp>
#endif

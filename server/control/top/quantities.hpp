// Quantities and foreign text for the narrow columns of a terminal, in printable ASCII. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cppcorn::top {

// A span of time in at most 6 characters: "350us", "42ms", "1.5s", "12min", "3h", "12d". "-" if it is not known.
std::string time_text(std::optional<double> seconds);

// Bytes in at most 6 characters, by powers of 1024: "512B", "12.4M". "-" if they are not known.
std::string bytes_text(std::optional<std::uint64_t> bytes);

// A count in at most 6 characters: "99999", "1234k", "56M".
std::string count_text(std::uint64_t count);

// How often a second, in at most 6 characters: "0", "0.3", "1234", "56k". "-" if it is not known.
std::string rate_text(std::optional<double> per_second);

// A part of one processor in percent: "0", "3.5", "100". "-" if it is not known.
std::string percent_text(std::optional<double> part);

// With everything but printable ASCII as \xNN. What others wrote goes to a terminal no other way: terminals obey it.
std::string printable(std::string_view text);

// Exactly that wide: filled up with blanks, or cut, which a `>` at its end shows.
std::string cut(std::string_view text, std::size_t width);

} // namespace cppcorn::top

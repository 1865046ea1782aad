// Comes before fmt's own header of this name, for two purposes.
//
// spdlog may have been built with its own copy of fmt, or for std::format; there may be no header of this name then.
//
// fmt 9 compiles the whole of formatting in each source that logs: 80 KB of code and five seconds of the compiler's,
// each. Here it is declared to be elsewhere (base/log/formatting.cpp). fmt 10 does so itself.
#pragma once

#if defined(SPDLOG_USE_STD_FORMAT)

#include <format>
namespace fmt {
using std::format;
using std::format_to;
} // namespace fmt

#elif defined(SPDLOG_FMT_EXTERNAL) || defined(SPDLOG_FMT_EXTERNAL_HO)
#include_next <fmt/format.h>
#else
#include <spdlog/fmt/fmt.h>
#endif

#if defined(FMT_VERSION) && FMT_VERSION >= 90000 && FMT_VERSION < 100000 && !defined(FMT_HEADER_ONLY)
#define CPPCORN_FORMATTING_ELSEWHERE 1
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                                   fmt::detail::locale_ref);
#endif

// Comes before fmt's own header of this name, with two purposes.
//
// fmt 9 and earlier instantiate the whole of formatting in each source that logs: 100 KB of code and five seconds of the
// compiler's, each. Here it is declared to be elsewhere (base/log/formatting.cpp); fmt 10 does that itself.
//
// And spdlog may have been built with its own copy of fmt, or for std::format, where there is no header of this name.
#pragma once

#if __has_include_next(<fmt/format.h>)

#include_next <fmt/format.h>
#if FMT_VERSION < 100000 && !defined(FMT_HEADER_ONLY)
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                                   fmt::detail::locale_ref);
#endif

#else

#include <spdlog/fmt/fmt.h>
#ifdef SPDLOG_USE_STD_FORMAT
#include <format>
namespace fmt {
using std::format;
using std::format_to;
} // namespace fmt
#endif

#endif

#include "base/log/formatting.hpp"

#if defined(FMT_VERSION) && FMT_VERSION < 100000 && !defined(FMT_HEADER_ONLY)
template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                            fmt::detail::locale_ref);
#endif

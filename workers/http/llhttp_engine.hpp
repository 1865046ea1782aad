// How bytes get into llhttp: by the build of it that suits the processor.
#pragma once

#include <string_view>

#include <llhttp.h>

namespace cppcorn::http {

// As llhttp_execute().
llhttp_errno_t execute_llhttp(llhttp_t& parser, std::string_view bytes);

} // namespace cppcorn::http

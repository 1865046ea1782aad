#include "workers/http/llhttp_engine.hpp"

#ifdef CPPCORN_LLHTTP_SSE42
extern "C" int llhttp__internal_execute_sse42(llhttp_t* parser, const char* begin, const char* end);
#endif

namespace cppcorn::http {

llhttp_errno_t execute_llhttp(llhttp_t& parser, std::string_view bytes) {
#ifdef CPPCORN_LLHTTP_SSE42
    static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
    if (has_sse42) {
        return static_cast<llhttp_errno_t>(
            llhttp__internal_execute_sse42(&parser, bytes.data(), bytes.data() + bytes.size()));
    }
#endif
    return llhttp_execute(&parser, bytes.data(), bytes.size());
}

} // namespace cppcorn::http

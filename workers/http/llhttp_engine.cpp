#include "workers/http/llhttp_engine.hpp"

#ifdef CPPCORN_LLHTTP_SSE42
extern "C" int llhttp__internal_execute_sse42(llhttp_t* parser, const char* begin, const char* end);
#endif

namespace cppcorn::http {
namespace {

const llhttp_settings_t& callbacks() {
    static constexpr llhttp_settings_t settings = [] {
        llhttp_settings_t made{};
        made.on_headers_complete = [](llhttp_t* parser) {
            parser->upgrade = 0; // else any Upgrade field ends the parsing
            static_cast<LlhttpEngine::Events*>(parser->data)->head = true;
            return 0;
        };
        made.on_chunk_header = [](llhttp_t* parser) {
            static_cast<LlhttpEngine::Events*>(parser->data)->chunk = true;
            return 0;
        };
        made.on_message_complete = [](llhttp_t* parser) {
            static_cast<LlhttpEngine::Events*>(parser->data)->message = true;
            return static_cast<int>(HPE_PAUSED); // the bytes behind are another message
        };
        return made;
    }();
    return settings;
}

// By the build of llhttp that suits the processor.
llhttp_errno_t execute(llhttp_t& parser, std::string_view bytes) {
#ifdef CPPCORN_LLHTTP_SSE42
    static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
    if (has_sse42) {
        return static_cast<llhttp_errno_t>(
            llhttp__internal_execute_sse42(&parser, bytes.data(), bytes.data() + bytes.size()));
    }
#endif
    return llhttp_execute(&parser, bytes.data(), bytes.size());
}

} // namespace

LlhttpEngine::LlhttpEngine() {
    llhttp_init(&llhttp_, HTTP_REQUEST, &callbacks());
    llhttp_.data = &events_;
}

void LlhttpEngine::reset() {
    llhttp_reset(&llhttp_);
    events_ = Events();
}

llhttp_errno_t LlhttpEngine::feed(std::string_view bytes) {
    events_ = Events();
    const llhttp_errno_t error = execute(llhttp_, bytes);
    const bool cut_short = error == HPE_PAUSED && llhttp_get_error_pos(&llhttp_) != bytes.data() + bytes.size();
    return cut_short ? HPE_INTERNAL : error;
}

} // namespace cppcorn::http

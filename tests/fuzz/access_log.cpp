// Whatever a client and an app say, a request is one line of the access log, of text only.
#include "workers/access_log/access_log.hpp"

#include <stdexcept>

#include "base/log/error_log.hpp"
#include "base/log/escape.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "workers/access_log/access_format.hpp"

using namespace cppcorn;

namespace {

bool is_text(std::string_view line) {
    for (char c : line) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7f) return false;
    }
    return true;
}

// Shortest forms only, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || at + more >= text.size()) return false;
        char32_t code = more == 0 ? lead : lead & (0x3fu >> more);
        for (std::size_t i = 1; i <= more; ++i) {
            const auto next = static_cast<unsigned char>(text[at + i]);
            if ((next & 0xc0) != 0x80) return false;
            code = code << 6 | (next & 0x3f);
        }
        if (more == 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return false;
        if (more == 3 && (code < 0x10000 || code > 0x10ffff)) return false;
        at += more + 1;
    }
    return true;
}

// The strings of a JSON object are closed, and its other values are words.
bool is_flat_json(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return false;
    bool quoted = false;
    for (std::size_t at = 1; at + 1 < text.size(); ++at) {
        if (quoted && text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            quoted = !quoted;
        } else if (!quoted && (text[at] == '{' || text[at] == '}')) {
            return false;
        }
    }
    return !quoted;
}

void check_line(std::string_view format, const AccessRecord& record) {
    std::string out;
    AccessFormat(format).append(out, record);
    fuzz::require(!out.empty() && out.back() == '\n', "a line without its end", out);
    const std::string_view line = std::string_view(out).substr(0, out.size() - 1);
    fuzz::require(is_text(line), "a control byte in a line", line);
    if (format == "json") fuzz::require(is_utf8(line) && is_flat_json(line), "no JSON", line);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider choices(data, size);
    const std::string texts[] = {choices.ConsumeRandomLengthString(), choices.ConsumeRandomLengthString(),
                                 choices.ConsumeRandomLengthString(), choices.ConsumeRandomLengthString(),
                                 choices.ConsumeRandomLengthString()};
    const std::string format = choices.ConsumeRandomLengthString(200);
    http::RequestHead head;
    head.line = texts[0];
    head.method = texts[1];
    head.target = head.path = texts[2];
    head.query = texts[3];
    head.fields = {{"User-Agent", texts[3]}, {"Referer", texts[4]}, {"Authorization", texts[1]}, {texts[2], texts[4]}};
    const http::Field given[] = {{"X", texts[4]}, {texts[1], texts[0]}};
    AccessRecord record;
    record.remote_address = texts[4];
    if (choices.ConsumeBool()) record.head = &head;
    record.request_line = texts[0];
    record.status = choices.ConsumeIntegral<int>();
    record.body_size = choices.ConsumeIntegral<std::uint64_t>();
    record.response_fields = given;
    record.started =
        std::chrono::system_clock::time_point(std::chrono::seconds(choices.ConsumeIntegral<std::uint32_t>()));
    record.duration = std::chrono::nanoseconds(choices.ConsumeIntegral<std::uint32_t>());

    static const std::string everything =
        R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(m)s %(U)s %(q)s %(H)s %(B)s %(L)s %(D)s %(p)s %({x}o)s %({referer}i)s)";
    for (std::string_view ready :
         {std::string_view(everything), std::string_view("json"), std::string_view("logfmt")}) {
        check_line(ready, record);
    }
    if (is_text(format)) try {
            check_line(format, record);
        } catch (const std::invalid_argument& error) {
            fuzz::require(is_text(error.what()), "a message of more than one line", error.what());
        }
    fuzz::require(is_text(escaped(texts[0])), "escaped, and not text", texts[0]);
    std::string json;
    append_json_escaped(json, texts[0]);
    fuzz::require(is_text(json) && is_utf8(json), "escaped for JSON, and not text", texts[0]);
    return 0;
}

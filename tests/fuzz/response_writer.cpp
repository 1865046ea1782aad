// Whatever an app says, the writer writes exactly one response, or nothing.
#include "workers/http/response_writer.hpp"

#include <algorithm>

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/response_reader.hpp"
#include "workers/http/error_response.hpp"

using namespace cppcorn;
using namespace cppcorn::http;

namespace {

std::vector<std::pair<std::string, std::string>> take_fields(FuzzedDataProvider& choices) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (int count = choices.ConsumeIntegralInRange(0, 6); count > 0; --count) {
        static const char* const names[] = {
            "Content-Length", "Transfer-Encoding", "Connection", "Date",   "server", "Trailer",
            "Upgrade",        "Keep-Alive",        "TE",         "X-Test", "",       ""};
        std::string name = choices.PickValueInArray(names);
        if (name.empty()) name = choices.ConsumeRandomLengthString(12);
        std::string value = choices.ConsumeRandomLengthString(20);
        if (choices.ConsumeBool()) value = std::to_string(choices.ConsumeIntegralInRange(0, 300));
        fields.emplace_back(std::move(name), std::move(value));
    }
    return fields;
}

// Returns what the reader has to find in the body.
std::string write_body(FuzzedDataProvider& choices, ResponseWriter& writer, Bytes& out) {
    std::string body;
    for (int count = choices.ConsumeIntegralInRange(0, 5); count > 0; --count) {
        const std::string piece = choices.ConsumeRandomLengthString(200);
        if (choices.ConsumeBool()) {
            const std::size_t accepted = writer.body(piece, out);
            fuzz::require(accepted <= piece.size(), "more than was given");
            if (writer.framing() != BodyFraming::none) body += piece.substr(0, accepted);
            continue;
        }
        std::string_view after;
        const auto to_send = static_cast<std::size_t>(writer.body_announced(piece.size(), out, after));
        fuzz::require(to_send <= piece.size(), "more than was announced");
        out.append(std::string_view(piece).substr(0, to_send)).append(after);
        body += piece.substr(0, to_send);
    }
    return body;
}

void check(const Bytes& out, const ResponseContext& context, const ResponseWriter& writer, bool whole,
           const std::string& body) try {
    const fuzz::Response response = fuzz::read_response(out, context.head_request, context.minor);
    fuzz::require(response.complete == whole, "whole or not", out);
    fuzz::require(response.size == out.size(), "bytes behind the response", out);
    fuzz::require(response.status == writer.status() && response.body == body, "another response", out);
    fuzz::require(writer.body_size() == body.size(), "its size", out);
    fuzz::require(response.has("date") && response.has("server"), "Date and Server", out);
    if (whole) fuzz::require(response.closes() != writer.keep_alive(), "keep-alive", out);
    fuzz::require(!writer.keep_alive() || context.keep_alive, "kept alive against the server's will", out);
} catch (const fuzz::BadResponse& error) {
    fuzz::fail(error.what(), out);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider choices(data, size);
    ResponseContext context{choices.ConsumeBool(), choices.ConsumeIntegralInRange(0, 1), choices.ConsumeBool(),
                            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Server: cppcorn\r\n"};
    const int status = choices.ConsumeBool() ? choices.PickValueInArray({200, 204, 205, 206, 304, 404, 426, 500})
                                             : choices.ConsumeIntegralInRange(90, 610);
    const auto given = take_fields(choices);
    std::vector<Field> fields;
    for (const auto& [name, value] : given) fields.push_back({name, value});

    ResponseWriter writer;
    Bytes out = "before";
    if (!writer.begin(context, status, fields, out)) {
        fuzz::require(out == "before" && !writer.begun(), "something was written all the same", out);
        out.assign(std::string_view(error_response(context, 500, choices.ConsumeRandomLengthString(60))));
        const fuzz::Response response = fuzz::read_response(out, context.head_request, context.minor);
        fuzz::require(response.complete && response.size == out.size() && response.status == 500, "an error", out);
        return 0;
    }
    const std::string body = write_body(choices, writer, out);
    const bool whole = writer.end(out);
    check(out.substr(6), context, writer, whole || writer.framing() == BodyFraming::none, body);
    return 0;
}

// What a proxy says of a request for those who follow it from log to log: nothing but what the rules allow counts, and
// what a stranger says is gone.
#include "workers/http/request_marks.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_input.hpp"

namespace {

using namespace cppcorn::http;

constexpr std::string_view names[] = {"X-Request-Id", "x_request_id", "X-Request-Start", "X-Queue-Time", "Host"};

std::int64_t digits_of(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_texts(const std::string& text) {
    const std::int64_t start = read_start(text);
    const bool is_in_range = start >= 1'000'000'000'000'000 && start < 10'000'000'000'000'000;
    fuzz::require(start == 0 || (is_in_range && digits_of(text) >= 10), "a start that is none", text);
    const bool is_safe = text.find_first_of(" \"\\<>&'\r\n\t;,$`") == std::string::npos;
    fuzz::require(!is_request_id(text) || (is_safe && text.size() >= 20 && text.size() <= 200), "an unsafe id", text);
    fuzz::require(!is_traceparent(text) || (text.size() >= 55 && text[2] == '-'), "a traceparent that is none", text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider choices(data, size);
    const bool is_trusted = choices.ConsumeBool();
    std::vector<std::string_view> chosen;
    for (int count = choices.ConsumeIntegralInRange(0, 6); count > 0; --count) {
        chosen.push_back(choices.PickValueInArray(names));
    }
    const std::string text = choices.ConsumeRemainingBytesAsString();
    check_texts(text);

    RequestHead head;
    for (const auto name : chosen) head.fields.push_back({name, text});
    const RequestMarks marks = take_marks(head, is_trusted);
    const auto left = [&](std::string_view name) { return head.find(name) != nullptr; };
    fuzz::require(is_trusted || (marks.id.empty() && marks.started_us == 0), "a stranger is believed", text);
    fuzz::require(is_trusted || !left("X-Request-Start"), "a stranger's start is left", text);
    fuzz::require(marks.id.empty() == !(left("X-Request-Id") || left("x_request_id")), "an id is left that is none",
                  text);
    fuzz::require(!left("X-Queue-Time"), "a time in the queue is left", text);
    const auto hosts = std::count(chosen.begin(), chosen.end(), "Host");
    const auto hosts_left =
        std::count_if(head.fields.begin(), head.fields.end(), [](const Field& field) { return field.name == "Host"; });
    fuzz::require(hosts == hosts_left, "another field is gone", text);
    return 0;
}

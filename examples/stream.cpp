// Sends lines one by one, with a pause before each but the first: /?n=10&ms=500
#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <cppcorn/app.hpp>

using namespace cppcorn;

// A client may ask for anything; it gets something from 0 to `most`.
int bounded(const Request& request, std::string_view name, int fallback, int most) {
    const std::string text = request.query_param(name).value_or("");
    int number = fallback;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::clamp(number, 0, most);
}

Response app(Request& request) {
    const int count = bounded(request, "n", 5, 1000);
    const std::chrono::milliseconds pause(bounded(request, "ms", 100, 10'000));
    return {200, {{"Content-Type", "text/plain"}}, [&request, count, pause](Writer& out) {
                for (int i = 1; i <= count; ++i) {
                    if (i > 1) std::this_thread::sleep_for(pause);
                    request.extend_deadline(std::chrono::seconds(30)); // alive, if not fast
                    out.write("line " + std::to_string(i) + "\n");
                    out.flush();
                }
            }};
}
CPPCORN_APP(app)

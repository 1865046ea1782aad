// The app that the benchmarks serve: app(14, "") answers "Hello, world!\n", app(102400, "") so many bytes from memory,
// app(102400, "/path") that file. An upload is read to its end first. SLOW_MS makes it sleep before each answer.
// BY_PATH makes another app of it, which does what the path says (by_path.hpp).
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <cppcorn/app.hpp>

#include "bench/apps/by_path.hpp"

using namespace cppcorn;

class Bench {
  public:
    Bench(std::int64_t size, std::string file) : file_(std::move(file)) {
        const std::string hello = "Hello, world!\n";
        body_ =
            size == static_cast<std::int64_t>(hello.size()) ? hello : std::string(static_cast<std::size_t>(size), 'x');
        if (const char* slow = std::getenv("SLOW_MS")) slow_ = std::chrono::milliseconds(std::atoi(slow));
    }

    Response operator()(Request& request) const {
        if (is_by_path_) return bench::answer_by_path(request);
        if (request.method() == "POST") read_all(request);
        if (slow_.count() > 0) std::this_thread::sleep_for(slow_);
        if (!file_.empty()) return {200, {{"Content-Type", "text/plain"}}, File(file_)};
        return {200, {{"Content-Type", "text/plain"}}, Body::borrowed(body_)};
    }

  private:
    static void read_all(Request& request) {
        std::array<char, 64 * 1024> piece;
        while (request.read(piece) > 0) {
        }
    }

    std::string body_;
    std::string file_;
    std::chrono::milliseconds slow_{0};
    bool is_by_path_ = std::getenv("BY_PATH") != nullptr;
};
CPPCORN_APP_CLASS(app, Bench, std::int64_t, std::string)

// cpp-httplib. A thread serves a connection for as long as that is kept alive, so the pool has threads for all
// connections of the largest scenario, whatever --workers says.
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <thread>

#include <httplib.h>

#include "bench/answer.hpp"
#include "bench/options.hpp"

namespace {

constexpr std::size_t kThreads = 300;

// Debian's build compresses what is text/... for clients that would have it so. A media type has no case; its look has.
constexpr const char* kContentType = "Text/plain";

void answer_from_file(const bench::Options& options, httplib::Response& response) {
    auto file = std::make_shared<std::ifstream>(options.file, std::ios::binary);
    response.set_content_provider(options.body_size, kContentType,
                                  [file](std::size_t, std::size_t left, httplib::DataSink& sink) {
                                      char chunk[65536];
                                      file->read(chunk, static_cast<std::streamsize>(std::min(left, sizeof chunk)));
                                      return sink.write(chunk, static_cast<std::size_t>(file->gcount()));
                                  });
}

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments, CPPHTTPLIB_VERSION);
    const std::string body = bench::make_body(options.body_size);
    const auto answer = [&](httplib::Response& response) {
        if (options.slow_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(options.slow_ms));
        response.set_header("Server", "cpp-httplib");
        response.set_header("Date", bench::http_date());
        if (options.file.empty()) return response.set_content(body, kContentType);
        answer_from_file(options, response);
    };

    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1'000'000'000);
    server.set_keep_alive_timeout(75);
    server.Get("/", [&](const httplib::Request&, httplib::Response& response) { answer(response); });
    server.Post("/", [&](const httplib::Request&, httplib::Response& response, const httplib::ContentReader& read) {
        read([](const char*, std::size_t) { return true; });
        answer(response);
    });

    // Its own backlog is 5, fixed when the library was built.
    int listener = -1;
    server.set_socket_options([&listener](int fd) {
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        listener = fd;
    });
    if (!server.bind_to_port("127.0.0.1", options.port) || ::listen(listener, 2048) < 0) {
        std::perror("cannot listen");
        return 1;
    }
    return server.listen_after_bind() ? 0 : 1;
}

// libmicrohttpd with a thread pool, an epoll for each thread.
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include "bench/answer.hpp"
#include "bench/options.hpp"

namespace {

struct App {
    bench::Options options;
    std::string body;
    MHD_Response* response = nullptr; // one for all requests: the library counts its uses
};

MHD_Result answer(void* context, MHD_Connection* connection, const char*, const char*, const char*, const char*,
                  std::size_t* upload_size, void** request) {
    const auto* app = static_cast<const App*>(context);
    if (*request == nullptr) { // the head has come; the call for the end of the body is the one that answers
        static char seen;
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (app->options.slow_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(app->options.slow_ms));
    return MHD_queue_response(connection, MHD_HTTP_OK, app->response);
}

MHD_Response* make_response(App& app) {
    if (app.options.file.empty()) {
        app.body = bench::make_body(app.options.body_size);
        return MHD_create_response_from_buffer(app.body.size(), app.body.data(), MHD_RESPMEM_PERSISTENT);
    }
    return MHD_create_response_from_fd(app.options.body_size, ::open(app.options.file.c_str(), O_RDONLY | O_CLOEXEC));
}

} // namespace

int main(int count, char** arguments) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);

    App app;
    app.options = bench::parse_options(count, arguments, MHD_get_version());
    app.response = make_response(app);
    MHD_add_response_header(app.response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    MHD_add_response_header(app.response, MHD_HTTP_HEADER_SERVER, "libmicrohttpd");

    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(app.options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MHD_Daemon* daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, nullptr, nullptr, answer, &app, MHD_OPTION_SOCK_ADDR,
        &address, MHD_OPTION_THREAD_POOL_SIZE, static_cast<unsigned>(app.options.workers), MHD_OPTION_CONNECTION_LIMIT,
        20000U, MHD_OPTION_CONNECTION_TIMEOUT, 75U, MHD_OPTION_LISTEN_BACKLOG_SIZE, 2048U, MHD_OPTION_END);
    if (daemon == nullptr) {
        std::fprintf(stderr, "cannot start the server\n");
        return 1;
    }
    int received = 0;
    sigwait(&signals, &received);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(app.response);
    return 0;
}

// Boost.Beast: processes that share a listener, each with an asynchronous loop of its own.
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/version.hpp>

#include "bench/answer.hpp"
#include "bench/options.hpp"
#include "bench/prefork.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Loop = asio::io_context;
using Socket = asio::basic_stream_socket<tcp, Loop::executor_type>;
using Stream = beast::basic_stream<tcp, Loop::executor_type>;
using MemoryResponse = http::response<http::span_body<const char>>;
using FileResponse = http::response<http::file_body>;

constexpr std::chrono::seconds kPatience(75);
// Reads are no longer than the room that is there, and the buffer begins with none.
constexpr std::size_t kReadSize = 16384;

template <class Response>
void set_fields(Response& response, bool keep_alive) {
    response.keep_alive(keep_alive);
    response.set(http::field::content_type, "text/plain");
    response.set(http::field::server, "Boost.Beast");
    response.set(http::field::date, bench::http_date());
    response.prepare_payload();
}

class App {
  public:
    explicit App(const bench::Options& options) : options_(options), body_(bench::make_body(options.body_size)) {}

    bool has_file() const { return !options_.file.empty(); }

    void sleep() const {
        if (options_.slow_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(options_.slow_ms));
    }

    // Made anew each second for its Date; those being sent keep theirs.
    std::shared_ptr<const MemoryResponse> from_memory(bool keep_alive) {
        Cached& cached = cached_[keep_alive ? 1 : 0];
        const std::time_t now = std::time(nullptr);
        if (now != cached.made_at) {
            auto response = std::make_shared<MemoryResponse>(http::status::ok, 11);
            response->body() = beast::span<const char>(body_.data(), body_.size());
            set_fields(*response, keep_alive);
            cached = {std::move(response), now};
        }
        return cached.response;
    }

    std::shared_ptr<FileResponse> from_file(bool keep_alive) const {
        auto response = std::make_shared<FileResponse>(http::status::ok, 11);
        error_code error;
        response->body().open(options_.file.c_str(), beast::file_mode::scan, error);
        set_fields(*response, keep_alive);
        return response;
    }

  private:
    struct Cached {
        std::shared_ptr<const MemoryResponse> response;
        std::time_t made_at = 0;
    };

    const bench::Options& options_;
    std::string body_;
    std::array<Cached, 2> cached_; // by keep_alive
};

class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(Socket socket, App& app) : stream_(std::move(socket)), app_(app) { buffer_.reserve(kReadSize); }

    void read() {
        parser_.emplace();
        parser_->body_limit(1 << 30);
        stream_.expires_after(kPatience);
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
            if (!error) self->answer();
        });
    }

  private:
    void answer() {
        app_.sleep();
        const bool keep_alive = parser_->get().keep_alive();
        if (app_.has_file()) return send(app_.from_file(keep_alive));
        send(app_.from_memory(keep_alive));
    }

    template <class Response>
    void send(std::shared_ptr<Response> response) {
        stream_.expires_after(kPatience);
        http::async_write(stream_, *response, [self = shared_from_this(), response](error_code error, std::size_t) {
            if (error) return;
            if (response->keep_alive()) return self->read();
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
        });
    }

    Stream stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_; // one is good for one request
    App& app_;
};

class Acceptor {
  public:
    Acceptor(Loop& loop, int listener, App& app) : acceptor_(loop, tcp::v4(), listener), app_(app) {}

    void accept() {
        acceptor_.async_accept([this](error_code error, Socket socket) {
            if (!error) {
                socket.set_option(tcp::no_delay(true), error);
                std::make_shared<Session>(std::move(socket), app_)->read();
            }
            accept();
        });
    }

  private:
    asio::basic_socket_acceptor<tcp, Loop::executor_type> acceptor_;
    App& app_;
};

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments, BOOST_LIB_VERSION);
    const int listener = bench::listen_on(options.port, SOCK_NONBLOCK);
    return bench::run_in_processes(options.workers, [&] {
        Loop loop(1);
        App app(options);
        Acceptor acceptor(loop, listener, app);
        acceptor.accept();
        loop.run();
    });
}

// A whole connection over a socket pair, with a small app behind it. The client's bytes, when they come, what it reads
// and how time passes are the fuzzer's. Whatever happens, the connection ends, and what has come out of it are the
// answers to the requests in their order, the last one perhaps cut.
#include "workers/connection/connection.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "tests/fuzz/connection_app.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/response_reader.hpp"

using namespace cppcorn;
using connection_app::Call;
using connection_app::calls;

namespace {

SteadyClock::time_point now_;

// The client, and the script that it and the clock follow.
class World {
  public:
    World(int socket, FuzzedDataProvider& choices, std::string bytes)
        : socket_(socket), choices_(choices), bytes_(std::move(bytes)) {}

    // One step of the script; false at its end.
    bool step() {
        if (choices_.remaining_bytes() == 0 || left_) return false;
        switch (choices_.ConsumeIntegralInRange(0, 7)) {
            case 0:
            case 1:
                send(choices_.ConsumeIntegralInRange<std::size_t>(1, 16));
                break;
            case 2:
            case 3:
                send(bytes_.size());
                break;
            case 4:
                receive(choices_.ConsumeIntegralInRange<std::size_t>(1, 300'000));
                break;
            case 5:
                now_ += std::chrono::milliseconds(choices_.ConsumeIntegralInRange(0, 20'000));
                break;
            case 6:
                receive(SIZE_MAX);
                break;
            case 7:
                if (choices_.ConsumeBool()) ::shutdown(socket_, SHUT_WR);
                left_ = true;
                break;
        }
        return true;
    }

    // After the script: all that is left is said and heard.
    void go_on() {
        send(bytes_.size());
        receive(SIZE_MAX);
    }

    const std::string& received() const { return received_; }

  private:
    void send(std::size_t most) {
        const std::size_t size = std::min(most, bytes_.size() - sent_);
        if (size == 0) return;
        const ssize_t sent = ::send(socket_, bytes_.data() + sent_, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) sent_ += static_cast<std::size_t>(sent);
    }

    void receive(std::size_t most) {
        char buffer[65536];
        while (most > 0) {
            const ssize_t got = ::recv(socket_, buffer, std::min(most, sizeof buffer), MSG_DONTWAIT);
            if (got <= 0) return;
            received_.append(buffer, static_cast<std::size_t>(got));
            most -= static_cast<std::size_t>(got);
        }
    }

    int socket_;
    FuzzedDataProvider& choices_;
    std::string bytes_;
    std::size_t sent_ = 0;
    bool left_ = false;
    std::string received_;
};

World* world_ = nullptr;
// ---- The worker's loop

bool is_ready(int socket, short events);

class Run {
  public:
    Run(WorkerSettings& settings, AccessLog& log, const SignalInbox& signals, FuzzedDataProvider& choices)
        : leave_after_(choices.ConsumeIntegralInRange(0, 20)),
          service_(settings, app_, slot_, log, signals),
          pool_(settings) {
        app_.size = sizeof app_;
        app_.handle = connection_app::handle;
    }

    void serve(UniqueFd socket, World& world) {
        static const ListeningSocket listener{-1, "127.0.0.1", 8000};
        Peer peer;
        std::strcpy(peer.address, "192.0.2.1");
        peer.listener = &listener;
        service_.look_at_clock();
        Connection connection(std::move(socket), peer, service_.settings, now_);
        settle(connection, connection.serve(service_, pool_));
        for (int steps = 0; open_ && world.step(); ++steps) {
            if (steps == leave_after_) leave(connection);
            turn(connection);
        }
        for (int rounds = 0; open_; ++rounds) {
            fuzz::require(rounds < 2000, "the connection does not end");
            world.go_on();
            turn(connection);
            if (open_) now_ = std::max(now_, connection.deadline());
        }
        world.go_on();
    }

  private:
    void settle(Connection&, Connection::Wants wants) {
        writing_ = wants == Connection::Wants::to_write;
        open_ = wants != Connection::Wants::to_close;
    }

    // As SyncWorker does when the master has told it to leave.
    void leave(Connection& connection) {
        service_.leave();
        settle(connection, connection.leave(service_, pool_));
    }

    void turn(Connection& connection) {
        for (int times = 0; open_ && is_ready(connection.fd(), writing_ ? POLLOUT : POLLIN); ++times) {
            fuzz::require(times < 100'000, "ready for ever");
            service_.look_at_clock();
            settle(connection, connection.serve(service_, pool_));
        }
        service_.look_at_clock();
        if (open_ && now_ >= connection.deadline()) settle(connection, connection.overdue(service_, pool_));
    }

    int leave_after_;
    cppcorn_app app_{};
    ScoreboardSlot slot_;
    Service service_;
    ExchangePool pool_;
    bool open_ = true;
    bool writing_ = false;
};

// ---- What came out

void check_answers(std::string_view received) {
    std::size_t answers = 0;
    while (!received.empty()) {
        const bool ours = answers < calls.size(); // else a refusal, which is the last
        fuzz::require(ours || answers == calls.size(), "more answers than requests", received);
        const Call call = ours ? calls[answers] : Call{false, 1, {}};
        fuzz::Response response = fuzz::read_response(received, call.head_request, call.minor);
        // A refusal may be one of a HEAD, or of HTTP/1.0: nothing behind its head, or Connection said.
        if (response.complete || response.status >= 200) received.remove_prefix(response.size);
        if (!response.complete) {
            fuzz::require(received.empty(), "something behind a response that is cut", received);
            return;
        }
        if (response.status == 100) continue;
        fuzz::require(response.has("date") && response.has("server"), "Date and Server");
        if (ours && response.status == 200 && response.has("x-app")) {
            const bool bodiless = response.framing == fuzz::Response::Framing::none;
            fuzz::require(bodiless || response.body == call.written || !call.whole, "another body", response.body);
        }
        ++answers;
        if (response.closes()) fuzz::require(received.empty(), "something after Connection: close", received);
        if (!ours) fuzz::require(response.closes() && response.status >= 400, "a refusal closes", received);
    }
}

WorkerSettings make_settings(FuzzedDataProvider& choices) {
    WorkerSettings settings;
    if (choices.ConsumeBool()) settings.limits.body = choices.ConsumeIntegralInRange(1, 100);
    if (choices.ConsumeBool()) settings.limits.fields = 3;
    if (choices.ConsumeBool()) settings.no_sendfile = true;
    if (choices.ConsumeBool()) settings.timeout = Milliseconds(0);
    if (choices.ConsumeBool()) settings.keep_alive = Milliseconds(choices.ConsumeIntegralInRange(0, 1) * 2000);
    if (choices.ConsumeBool())
        settings.header_timeout = settings.body_timeout = settings.write_timeout = Milliseconds(3000);
    settings.header_map = choices.PickValueInArray({HeaderMap::drop, HeaderMap::refuse, HeaderMap::dangerous});
    return settings;
}

} // namespace

// The linker puts these in the place of the real ones (CMakeLists.txt).
SteadyClock::time_point fake_now() noexcept __asm__("__wrap__ZNSt6chrono3_V212steady_clock3nowEv");
SteadyClock::time_point fake_now() noexcept {
    return now_;
}

extern "C" int __real_poll(pollfd* entries, nfds_t count, int timeout_ms);
extern "C" int __wrap_poll(pollfd* entries, nfds_t count, int timeout_ms) {
    // The app waits for the client: the script goes on, and after its end the client is mute and time passes.
    while (world_ != nullptr && __real_poll(entries, count, 0) == 0) {
        const auto before = now_;
        if (!world_->step()) now_ += std::chrono::milliseconds(std::max(timeout_ms, 1));
        if (now_ - before >= std::chrono::milliseconds(timeout_ms)) break;
    }
    return __real_poll(entries, count, 0);
}

namespace {
bool is_ready(int socket, short events) {
    pollfd entry{socket, events, 0};
    return __real_poll(&entry, 1, 0) > 0;
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const SignalInbox signals({SIGTERM});
    spdlog::set_level(spdlog::level::off);
    FuzzedDataProvider input(data, size);
    WorkerSettings settings = make_settings(input);
    AccessLogOptions log_options;
    log_options.path = "/dev/null";
    AccessLog log(log_options);
    const auto script_size =
        std::min<std::size_t>(input.ConsumeIntegralInRange<std::size_t>(0, 64), input.remaining_bytes());
    const std::string bytes = input.ConsumeBytesAsString(input.remaining_bytes() - script_size);

    int pair[2];
    fuzz::require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
    auto client = std::make_unique<UniqueFd>(pair[0]);
    World world(client->get(), input, bytes);
    now_ = SteadyClock::time_point(std::chrono::hours(1));
    calls.clear();
    world_ = &world;
    Run(settings, log, signals, input).serve(UniqueFd(pair[1]), world);
    world_ = nullptr;
    try {
        check_answers(world.received());
    } catch (const fuzz::BadResponse& error) {
        fuzz::fail(error.what(), world.received());
    }
    return 0;
}

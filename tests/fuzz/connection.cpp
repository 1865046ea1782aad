// A whole connection over a stream in memory, with a small app behind it. The client's bytes, when they come, what it
// reads and how time passes are the fuzzer's. Whatever happens, the connection ends, and what has come out of it are the
// answers to the requests in their order, the last one perhaps cut.
#include "workers/connection/connection.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>

#include <spdlog/spdlog.h>

#include "tests/fuzz/connection_app.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/response_reader.hpp"
#include "tests/memory_stream.hpp"

using namespace cppcorn;
using connection_app::Call;
using connection_app::calls;

namespace {

// The client, and the script that it and the clock follow.
class World {
  public:
    World(MemoryStream& stream, FuzzedDataProvider& choices, std::string bytes)
        : stream_(stream), choices_(choices), bytes_(std::move(bytes)) {}

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
                FakeClock::now += Milliseconds(choices_.ConsumeIntegralInRange(0, 20'000));
                break;
            case 6:
                receive(SIZE_MAX);
                break;
            case 7:
                leave();
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
        stream_.send(std::string_view(bytes_).substr(sent_, size));
        sent_ += size;
    }

    void receive(std::size_t most) { received_ += stream_.receive(most); }

    void leave() {
        switch (choices_.ConsumeIntegralInRange(0, 2)) {
            case 0:
                stream_.close();
                break;
            case 1:
                stream_.vanish();
                break;
            case 2: // says nothing more
                break;
        }
        left_ = true;
    }

    MemoryStream& stream_;
    FuzzedDataProvider& choices_;
    std::string bytes_;
    std::size_t sent_ = 0;
    bool left_ = false;
    std::string received_;
};

// ---- The worker's loop

class Run {
  public:
    Run(WorkerSettings& settings, AccessLog& log, const SignalInbox& signals, FuzzedDataProvider& choices)
        : retire_after_(choices.ConsumeIntegralInRange(0, 20)),
          context_(settings, app_, slot_, log, signals, FakeClock::source()),
          pool_(settings) {
        app_.size = sizeof app_;
        app_.handle = connection_app::handle;
    }

    void serve(MemoryStream& stream, World& world) {
        static const ListeningSocket listener{-1, "127.0.0.1", 8000};
        Peer peer;
        std::strcpy(peer.address, "192.0.2.1");
        peer.listener = &listener;
        const Turn turn{stream, context_, pool_, quick_};
        Connection connection(peer, context_.settings, FakeClock::now);
        settle(connection.serve(turn));
        for (int steps = 0; open_ && world.step(); ++steps) {
            if (steps == retire_after_) retire(connection, turn);
            serve_while_ready(connection, turn, stream);
        }
        for (int rounds = 0; open_; ++rounds) {
            fuzz::require(rounds < 2000, "the connection does not end");
            world.go_on();
            serve_while_ready(connection, turn, stream);
            if (open_) FakeClock::now = std::max(FakeClock::now, connection.deadline());
        }
        world.go_on();
    }

  private:
    void settle(Connection::Wants wants) {
        interest_ = wants == Connection::Wants::to_write ? Stream::Interest::to_write : Stream::Interest::to_read;
        goes_on_ = wants == Connection::Wants::to_go_on;
        stalled_ = wants == Connection::Wants::to_have_room;
        open_ = wants != Connection::Wants::to_close;
    }

    // As SyncWorker does when the master has told it to retire.
    void retire(Connection& connection, const Turn& turn) {
        context_.retire();
        settle(connection.retire(turn));
    }

    void serve_while_ready(Connection& connection, const Turn& turn, MemoryStream& stream) {
        for (int times = 0; open_ && !stalled_ && (goes_on_ || stream.is_ready(interest_)); ++times) {
            fuzz::require(times < 100'000, "ready for ever");
            context_.refresh_clock();
            settle(connection.serve(turn));
        }
        context_.refresh_clock();
        if (open_ && FakeClock::now >= connection.deadline()) settle(connection.overdue(turn));
    }

    int retire_after_;
    cppcorn_app app_{};
    ScoreboardSlot slot_;
    WorkerContext context_;
    ExchangePool pool_;
    QuickRequests quick_;
    bool goes_on_ = false;
    bool stalled_ = false; // until its deadline: nobody else could give room back
    bool open_ = true;
    Stream::Interest interest_ = Stream::Interest::to_read;
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
    settings.spool_limit = choices.PickValueInArray<std::uint64_t>({0, 100'000, 1 << 30});
    settings.header_map = choices.PickValueInArray({HeaderMap::drop, HeaderMap::refuse, HeaderMap::dangerous});
    return settings;
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

    MemoryStream stream;
    World world(stream, input, bytes);
    // The app waits for the client: the script goes on, and after its end the client is mute and time passes.
    stream.while_waiting = [&](SteadyTime deadline) {
        if (!world.step())
            FakeClock::now = std::max(FakeClock::now, std::min(deadline, FakeClock::now + std::chrono::minutes(1)));
        return true;
    };
    FakeClock::now = SteadyTime(std::chrono::hours(1));
    calls.clear();
    Run(settings, log, signals, input).serve(stream, world);
    try {
        check_answers(world.received());
    } catch (const fuzz::BadResponse& error) {
        fuzz::fail(error.what(), world.received());
    }
    return 0;
}

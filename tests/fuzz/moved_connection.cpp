// A connection from another worker, whose message is well-formed and may yet say anything: whatever becomes of it, it
// ends.
#include <algorithm>
#include <csignal>

#include <spdlog/spdlog.h>
#include <sys/mman.h>

#include "tests/fuzz/connection_app.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/memory_stream.hpp"
#include "workers/connection/connection.hpp"
#include "workers/handover/move_message.hpp"

using namespace cppcorn;

namespace {

void serve(const Turn& turn, MemoryStream& stream, Connection& connection) {
    Connection::Wants wants = connection.serve(turn);
    for (int rounds = 0; wants != Connection::Wants::to_close; ++rounds) {
        fuzz::require(rounds < 5000, "the connection does not end");
        stream.receive();
        const auto interest =
            wants == Connection::Wants::to_write ? Stream::Interest::to_write : Stream::Interest::to_read;
        const bool is_ready = wants == Connection::Wants::to_go_on || stream.is_ready(interest);
        if (!is_ready) FakeClock::now = std::max(FakeClock::now, connection.deadline());
        turn.context.refresh_clock();
        wants = is_ready ? connection.serve(turn) : connection.overdue(turn);
    }
}

// Within the hours that clocks show.
void bound_times(ConnectionRecord& record) {
    const std::int64_t now = FakeClock::now.time_since_epoch().count();
    constexpr std::int64_t hour = 3'600'000'000'000;
    record.deadline = std::clamp(record.deadline, now - hour, now + hour);
    record.began = std::clamp(record.began, now - hour, now + hour);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const SignalInbox signals({SIGTERM});
    static const ListeningSocket listener{-1, "127.0.0.1", 8000};
    spdlog::set_level(spdlog::level::off);
    FuzzedDataProvider choices(data, size);
    const int descriptors = choices.ConsumeIntegralInRange<int>(0, MoveMessage::most_descriptors);
    const std::string more = choices.ConsumeBytesAsString(choices.ConsumeIntegralInRange<std::size_t>(0, 64));
    const std::string packet = choices.ConsumeRemainingBytesAsString();
    MoveMessage message;
    if (message.read(packet, descriptors) != nullptr || message.bytes_in_file) return 0;
    MovedConnection moved;
    moved.record = message.record;
    moved.bytes = message.bytes;
    FakeClock::now = SteadyTime(std::chrono::hours(2));
    bound_times(moved.record);
    for (int i = 0; i < moved.record.request.file_count; ++i) {
        moved.output_files[i].reset(::memfd_create("fuzz", MFD_CLOEXEC));
    }

    WorkerSettings settings;
    AccessLogOptions log_options;
    log_options.path = "/dev/null";
    AccessLog log(log_options);
    cppcorn_app app{};
    app.size = sizeof app;
    app.handle = connection_app::handle;
    ScoreboardSlot slot;
    WorkerContext context(settings, app, slot, log, signals, FakeClock::source());
    ExchangePool pool(settings);
    QuickRequests quick;
    MemoryStream stream;
    stream.while_waiting = [](SteadyTime deadline) {
        FakeClock::now = std::max(FakeClock::now, std::min(deadline, FakeClock::now + std::chrono::minutes(1)));
        return true;
    };
    stream.send(more);
    connection_app::calls.clear();
    const Turn turn{stream, context, pool, quick};
    auto connection = Connection::resume(moved, listener, turn);
    if (connection) serve(turn, stream, *connection);
    return 0;
}

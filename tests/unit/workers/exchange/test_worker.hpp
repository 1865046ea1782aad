// What exchanges and connections need around them, in tests: a worker's context with a clock that stands still, and an
// app that is a function of the test's.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <cppcorn/abi.h>
#include <spdlog/spdlog.h>

#include "tests/memory_stream.hpp"
#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/exchange/exchange_pool.hpp"
#include "workers/exchange/host.hpp"

// Nothing is logged while it lives. The settings may be changed until something uses them, but for the spool's.
class TestWorker {
  public:
    explicit TestWorker(std::uint64_t spool_limit = 0)
        : settings(with_spool(spool_limit)),
          context(settings, handlers_, slot_, access_log_, signals_, cppcorn::FakeClock::source()),
          pool(settings) {
        spdlog::set_level(spdlog::level::off);
        handlers_.size = sizeof handlers_;
        handlers_.self = this;
        handlers_.handle = [](void* self, const cppcorn_request* request) {
            auto& worker = *static_cast<TestWorker*>(self);
            ++worker.calls;
            return worker.app(request);
        };
        std::strcpy(peer.address, "192.0.2.1");
        peer.port = 1234;
        peer.listener = &listener_;
    }
    TestWorker(const TestWorker&) = delete;
    TestWorker& operator=(const TestWorker&) = delete;
    ~TestWorker() { spdlog::set_level(log_level_); }

    void pass(cppcorn::Milliseconds time) {
        cppcorn::FakeClock::now += time;
        context.refresh_clock();
    }

    std::function<int(const cppcorn_request*)> app;
    int calls = 0; // of the app
    cppcorn::WorkerSettings settings;
    cppcorn::Peer peer;

  private:
    static cppcorn::WorkerSettings with_spool(std::uint64_t limit) {
        cppcorn::WorkerSettings settings;
        settings.spool_limit = limit;
        return settings;
    }

    const spdlog::level::level_enum log_level_ = spdlog::get_level();
    cppcorn::ListeningSocket listener_{-1, "127.0.0.1", 8000};
    cppcorn::ScoreboardSlot slot_;
    cppcorn::AccessLog access_log_{cppcorn::AccessLogOptions{}};
    cppcorn::SignalInbox signals_{std::vector<int>{}};
    cppcorn_app handlers_{};

  public:
    cppcorn::WorkerContext context;
    cppcorn::ExchangePool pool;
};

// ---- What apps do

inline int begin(const cppcorn_request* request, int status, std::optional<std::size_t> length) {
    const std::string text = std::to_string(length.value_or(0));
    const cppcorn_field field{{"Content-Length", 14}, {text.data(), text.size()}};
    return cppcorn::host_table().start(request, status, &field, length ? 1 : 0);
}

inline int write(const cppcorn_request* request, std::string_view data) {
    return cppcorn::host_table().write(request, data.data(), data.size());
}

// A whole response. 0, or what failed.
inline int respond(const cppcorn_request* request, std::string_view body) {
    const int error = begin(request, 200, body.size());
    return error != 0 ? error : write(request, body);
}

// All of the body, or what there is of it, and then the error.
struct BodyRead {
    std::string bytes;
    std::int64_t error = 0;
};
inline BodyRead read_body(const cppcorn_request* request, std::size_t most = SIZE_MAX) {
    BodyRead body;
    std::vector<char> piece(1 << 16);
    while (body.bytes.size() < most) {
        const auto room = std::min(piece.size(), most - body.bytes.size());
        const std::int64_t got = cppcorn::host_table().read(request, piece.data(), room);
        if (got <= 0) return {body.bytes, got};
        body.bytes.append(piece.data(), static_cast<std::size_t>(got));
    }
    return body;
}

inline std::string_view path_of(const cppcorn_request* request) {
    return {request->path.data, request->path.size};
}

// A client in memory, and a clock that stands still until it is told otherwise: what the tests and fuzzers of
// connections use in place of sockets and waiting.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include <unistd.h>

#include "base/clock.hpp"
#include "workers/transport/stream.hpp"

namespace cppcorn {

// For WorkerContext. One test at a time.
struct FakeClock {
    static inline SteadyTime now{std::chrono::hours(1)};
    static ClockSource source() {
        return {[] { return now; }, [] { return now; }};
    }
};

class MemoryStream final : public Stream {
  public:
    // ---- The client

    void send(std::string_view bytes) { to_server_ += bytes; }
    // It sends nothing more.
    void close() { closed_ = true; }
    // It is gone: nothing can be read or written any more.
    void vanish() { gone_ = true; }
    // Takes what has arrived, so that as much more can be written.
    std::string receive(std::size_t most = SIZE_MAX) {
        std::string bytes = to_client_.substr(0, most);
        to_client_.erase(0, bytes.size());
        return bytes;
    }
    const std::string& arrived() const { return to_client_; }
    bool is_write_closed() const { return write_closed_; }
    bool is_reset() const { return reset_; }
    // How much may be on its way to the client that it has not received.
    void set_capacity(std::size_t bytes) { capacity_ = bytes; }
    // How much of that has arrived at its machine all the same.
    void set_window(std::size_t bytes) { window_ = bytes; }
    // Called while the server waits for the client: lets something happen or time pass, or says false: the deadline
    // comes.
    std::function<bool(SteadyTime deadline)> while_waiting;
    int writes = 0;

    // ---- The server

    std::int64_t read(char* buffer, std::size_t room) override {
        if (gone_) return -ECONNRESET;
        if (to_server_.empty()) return closed_ ? 0 : -EAGAIN;
        const std::size_t count = std::min(room, to_server_.size());
        std::memcpy(buffer, to_server_.data(), count);
        to_server_.erase(0, count);
        return static_cast<std::int64_t>(count);
    }

    std::int64_t write(std::string_view first, std::string_view second) override {
        ++writes;
        if (gone_ || write_closed_) return -EPIPE;
        const std::size_t count = std::min(room(), first.size() + second.size());
        if (count == 0) return -EAGAIN;
        to_client_.append(first.substr(0, count));
        to_client_.append(second.substr(0, count - std::min(count, first.size())));
        return static_cast<std::int64_t>(count);
    }

    std::int64_t send_file(int file, std::int64_t offset, std::size_t size) override {
        if (gone_ || write_closed_) return -EPIPE;
        if (room() == 0) return -EAGAIN;
        std::string bytes(std::min(room(), size), '\0');
        const ssize_t got = ::pread(file, bytes.data(), bytes.size(), offset);
        if (got <= 0) return got < 0 ? -EIO : 0;
        to_client_.append(bytes, 0, static_cast<std::size_t>(got));
        return got;
    }

    std::uint64_t untaken() override { return to_client_.size() - std::min(window_, to_client_.size()); }
    void close_write() override { write_closed_ = true; }
    void set_reset_on_close(bool reset) override { reset_ = reset; }

    bool is_closed_by_client() override { return gone_ || closed_; }

    bool wait_until(Interest interest, SteadyTime deadline) override {
        while (!is_ready(interest)) {
            if (FakeClock::now >= deadline || !while_waiting || !while_waiting(deadline)) return false;
        }
        return true;
    }

    bool is_ready(Interest interest) const {
        const bool can_read = gone_ || closed_ || !to_server_.empty();
        const bool can_write = gone_ || room() > 0;
        return (interest != Interest::to_write && can_read) || (interest != Interest::to_read && can_write);
    }

  private:
    std::size_t room() const { return capacity_ - std::min(capacity_, to_client_.size()); }

    std::string to_server_;
    std::string to_client_;
    std::size_t capacity_ = 200'000;
    std::size_t window_ = SIZE_MAX;
    bool closed_ = false;
    bool gone_ = false;
    bool write_closed_ = false;
    bool reset_ = false;
};

} // namespace cppcorn

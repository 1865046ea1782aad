// What the app asks of its exchange while it handles the request.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "base/log/escape.hpp"
#include "workers/exchange/exchange.hpp"

namespace cppcorn {
namespace {

// What a worker needs to give a slow client up before its master gives the worker up.
constexpr auto timeout_margin = std::chrono::seconds(1);
// Worth a gathering send rather than a copy into the queue.
constexpr std::size_t large_write = 16 * 1024;

// Waits until the socket is ready or the deadline has passed. False: it has passed.
bool wait_for(int socket, short events, SteadyClock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
        pollfd entry{socket, events, 0};
        const int count = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
        if (count > 0) return true;
        if (count == 0 && SteadyClock::now() >= deadline) return false;
    }
}

} // namespace

std::int64_t Exchange::read(char* buffer, std::size_t room) {
    if (room == 0) return -EINVAL;
    while (body_taken_ == body_.size()) {
        if (read_error_ != 0) return read_error_;
        if (body_read_) return 0;
        body_.clear();
        body_taken_ = 0;
        if (body_step(body_) || read_error_ != 0) continue;
        if (const auto error = receive(); error != 0) read_error_ = static_cast<int>(error);
    }
    const std::size_t count = std::min(room, body_.size() - body_taken_);
    std::memcpy(buffer, body_.data() + body_taken_, count);
    body_taken_ += count;
    return static_cast<std::int64_t>(count);
}

// Reads more of the request from the socket. 0, or a negative errno.
std::int64_t Exchange::receive() {
    if (continue_wanted_ && !writer_.begun()) output_.tail() += continue_response;
    continue_wanted_ = false;
    if (const int error = flush(); error != 0) return error == -EPIPE ? -ECONNRESET : error;
    const InputBuffer::Room space = input_.room();
    for (;;) {
        const ssize_t got = ::recv(call_->socket, space.data, space.size, MSG_DONTWAIT);
        if (got > 0) {
            input_.commit(static_cast<std::size_t>(got));
            return 0;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) return -ECONNRESET;
        const auto& settings = call_->service.settings;
        const auto deadline = call_->patience.deadline(SteadyClock::now(), parser_.body_size(), settings.body_timeout);
        const short events = output_.empty() ? POLLIN : POLLIN | POLLOUT;
        if (!wait_for(call_->socket, events, std::min(deadline, latest_wait()))) return -ETIMEDOUT;
        if (const int error = flush(); error != 0) return error == -EPIPE ? -ECONNRESET : error;
    }
}

// Until when a client may keep the app waiting.
SteadyClock::time_point Exchange::latest_wait() const {
    const auto timeout = call_->service.settings.timeout;
    if (timeout.count() == 0) return SteadyClock::time_point::max();
    return call_->service.slot.deadline() - std::min<Milliseconds>(timeout_margin, timeout / 10);
}

int Exchange::start(int status, std::span<const cppcorn_field> fields) {
    if (writer_.begun()) return -EALREADY;
    std::vector<http::Field>& given = given_fields_;
    given.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto& [name, value] = fields[i];
        given[i] = {{name.data, name.size}, {value.data, value.size}};
    }
    if (!writer_.begin(context(call_->service), status, given, output_.tail())) return -EINVAL;
    if (call_->service.access_log.wants_response_fields()) {
        for (const auto& field : given) logged_fields_.emplace_back(field.name, field.value);
    }
    return 0;
}

int Exchange::write(std::string_view data) {
    if (!writer_.begun()) return -EPROTO;
    if (const int error = wait_for_room(); error != 0) return error;
    std::size_t accepted = 0;
    if (data.size() < large_write) {
        accepted = writer_.body(data, output_.tail());
    } else {
        std::string_view after;
        const auto to_send = static_cast<std::size_t>(writer_.body_announced(data.size(), output_.tail(), after));
        const bool bodiless = writer_.framing() == http::BodyFraming::none;
        accepted = bodiless ? data.size() : to_send;
        const auto result =
            output_.flush_with(call_->socket, !call_->service.settings.no_sendfile, data.substr(0, to_send));
        if (const int error = after_flush(result); error != 0) return error;
        output_.tail() += after;
    }
    if (accepted == data.size()) return 0;
    if (!excess_logged_) spdlog::error("Response to {} is longer than its Content-Length: cut there", describe());
    excess_logged_ = true;
    return -EMSGSIZE;
}

int Exchange::flush() {
    if (output_.empty()) return write_error_;
    if (const int error = wait_for_room(); error != 0) return error;
    return after_flush(output_.flush(call_->socket, !call_->service.settings.no_sendfile));
}

int Exchange::send_file(int file, std::int64_t offset, std::int64_t size) {
    if (!writer_.begun()) return -EPROTO;
    if (offset < 0 || size < 0) return -EINVAL;
    UniqueFd own(::fcntl(file, F_DUPFD_CLOEXEC, 3));
    if (!own.is_open()) return -errno;
    if (const int error = wait_for_room(); error != 0) return error;
    std::string_view after;
    const auto wanted = static_cast<std::uint64_t>(size);
    const std::uint64_t to_send = writer_.body_announced(wanted, output_.tail(), after);
    if (to_send > 0) output_.append_file(std::move(own), offset, to_send);
    output_.tail() += after;
    return to_send == wanted || writer_.framing() == http::BodyFraming::none ? 0 : -EMSGSIZE;
}

int Exchange::after_flush(OutputQueue::Result result) {
    if (result == OutputQueue::Result::failed) write_error_ = -EPIPE;
    return write_error_;
}

// Keeps what waits for a slow client bounded.
int Exchange::wait_for_room() {
    if (write_error_ != 0 || output_.waiting_bytes() <= output_high_water) return write_error_;
    const auto deadline =
        std::min(deadline_after(SteadyClock::now(), call_->service.settings.write_timeout), latest_wait());
    while (output_.waiting_bytes() > output_high_water) {
        const auto result = output_.flush(call_->socket, !call_->service.settings.no_sendfile);
        if (const int error = after_flush(result); error != 0) return error;
        if (result == OutputQueue::Result::drained) break;
        if (!wait_for(call_->socket, POLLOUT, deadline)) return write_error_ = -ETIMEDOUT;
    }
    return 0;
}

int Exchange::extend_deadline(std::chrono::milliseconds time) {
    ScoreboardSlot& slot = call_->service.slot;
    // Never to sooner: the master may be asleep until the present one. Without --timeout there is none.
    slot.extend_deadline(std::max(slot.deadline(), SteadyClock::now() + time));
    return 0;
}

int Exchange::fail(std::string_view reason) {
    if (!failed_) spdlog::error("Error handling request {}: {}", describe(), escaped(reason));
    failed_ = true;
    return 0;
}

} // namespace cppcorn

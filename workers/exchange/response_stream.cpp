#include "workers/exchange/response_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// Worth a gathering send rather than a copy into the queue.
constexpr std::size_t large_write = 16 * 1024;

// Of a file that is read here.
constexpr std::size_t copied_piece = 32 * 1024;

// Is left in memory behind a file of the spool: to write it there as well is not worth it.
constexpr std::size_t small_rest = 4096;

} // namespace

int ResponseStream::write(AppCall& call, std::string_view data) {
    if (!begun()) return -EPROTO;
    if (const int error = wait_for_room(call); error != 0) return error;
    if (data.size() < large_write) {
        return writer_.body(data, output_.tail()) == data.size() ? 0 : -EMSGSIZE;
    }
    std::string_view after;
    const auto to_send = static_cast<std::size_t>(writer_.body_announced(data.size(), output_.tail(), after));
    std::size_t taken = 0;
    const auto result = send(call, data.substr(0, to_send), taken);
    if (const int error = take_result(result); error != 0) return error;
    if (const int error = queue(call, data.substr(taken, to_send - taken)); error != 0) return error;
    output_.tail() += after;
    const bool bodiless = writer_.framing() == http::BodyFraming::none;
    return bodiless || to_send == data.size() ? 0 : -EMSGSIZE;
}

int ResponseStream::flush(AppCall& call) {
    if (output_.empty()) return error_;
    if (const int error = wait_for_room(call); error != 0) return error;
    return take_result(send(call));
}

int ResponseStream::send_file(AppCall& call, UniqueFd file, std::int64_t offset, std::int64_t size) {
    if (const int error = wait_for_room(call); error != 0) return error;
    std::string_view after;
    const auto wanted = static_cast<std::uint64_t>(size);
    const std::uint64_t to_send = writer_.body_announced(wanted, output_.tail(), after);
    if (to_send > 0 && !output_.can_hold_file(to_send)) {
        if (const int error = take_result(send(call)); error != 0) return error;
    }
    if (to_send > 0 && output_.can_hold_file(to_send)) {
        output_.append_file(std::move(file), offset, to_send);
    } else if (const int error = queue_file(call, file.get(), offset, to_send); error != 0) {
        return error;
    }
    output_.tail() += after;
    return to_send == wanted || writer_.framing() == http::BodyFraming::none ? 0 : -EMSGSIZE;
}

int ResponseStream::send_copied(AppCall& call, int file, std::int64_t offset, std::int64_t size) {
    if (writer_.framing() == http::BodyFraming::none) return error_;
    std::array<char, copied_piece> piece;
    while (size > 0) {
        const auto wanted = std::min(piece.size(), static_cast<std::size_t>(size));
        const ssize_t got = retry_interrupted([&] { return ::pread(file, piece.data(), wanted, offset); });
        if (got <= 0) return error_ = -EIO;
        if (const int error = write(call, {piece.data(), static_cast<std::size_t>(got)}); error != 0) return error;
        offset += got;
        size -= got;
    }
    return error_;
}

OutputQueue::Result ResponseStream::send(AppCall& call, std::string_view extra, std::size_t& taken) {
    // Should this process die before the end, the client must not take what it has got for all.
    if (ends_with_connection()) call.stream.set_reset_on_close(true);
    call.recall(output_);
    if (begun()) call.note_begun(output_);
    const auto result = output_.flush_with(call.stream, extra, taken);
    call.context.desk.lend_again(output_.bytes(), call.stream.sent());
    return result;
}

void ResponseStream::put(int status, std::string_view response) {
    output_.tail() += response;
    own_status_ = status;
    own_size_ = response.size() - std::min(response.size(), response.find("\r\n\r\n") + 4);
}

int ResponseStream::take_result(OutputQueue::Result result) {
    if (result == OutputQueue::Result::failed) error_ = -EPIPE;
    return error_;
}

int ResponseStream::queue(AppCall& call, std::string_view rest) {
    const bool fits = !output_.is_spooling() && output_.waiting_bytes() + rest.size() <= mark(call);
    if (fits || !call.context.spool.is_on()) {
        output_.tail().append(rest);
        return error_;
    }
    if (rest.empty() || output_.spill(call.context.spool, rest)) return error_;
    while (!rest.empty()) { // as there is room
        if (const int error = wait_for_room(call); error != 0) return error;
        const std::string_view piece = rest.substr(0, copied_piece);
        output_.tail().append(piece);
        rest.remove_prefix(piece.size());
    }
    return error_;
}

int ResponseStream::queue_file(AppCall& call, int file, std::int64_t offset, std::uint64_t size) {
    std::array<char, copied_piece> piece;
    while (size > 0) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size));
        const ssize_t got = retry_interrupted([&] { return ::pread(file, piece.data(), wanted, offset); });
        if (got <= 0) return error_ = -EIO;
        const auto count = static_cast<std::size_t>(got);
        if (const int error = queue(call, {piece.data(), count}); error != 0) return error;
        offset += got;
        size -= count;
    }
    return error_;
}

void ResponseStream::settle(WorkerContext& context, UnsentShare& share) {
    const std::size_t held = output_.bytes_in_memory();
    const bool is_too_much = output_.is_spooling() || context.unsent - share.bytes() + held > most_unsent;
    if (is_too_much && held > small_rest) output_.spill(context.spool);
    share.set(context.unsent, output_.bytes_in_memory());
}

int ResponseStream::make_room(AppCall& call) {
    const Milliseconds allowance = call.context.settings.write_timeout;
    while (output_.waiting_bytes() > mark(call)) {
        const auto result = send(call);
        if (const int error = take_result(result); error != 0) return error;
        const bool has_room = output_.waiting_bytes() <= mark(call) || (begun() && output_.spill(call.context.spool));
        if (has_room) break;
        const auto interest = Stream::Interest::to_write;
        if (!call.wait(call.for_reader, interest, output_.sent_total(), allowance)) return error_ = -ETIMEDOUT;
    }
    return 0;
}

} // namespace cppcorn

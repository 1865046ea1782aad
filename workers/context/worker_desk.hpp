// The worker's end of what it shares with its understudy: what it shows of the connection that it is serving, and the
// token that it lends while it is in the app (workers/handover/). Without an understudy, all of this does nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

class WorkerDesk {
  public:
    // Nobody looks at it.
    WorkerDesk() = default;
    // `memory` outlives it.
    explicit WorkerDesk(WorkerMemory& memory) : memory_(&memory) {}

    bool is_on() const { return memory_ != nullptr; }
    // From now on an understudy looks. `process` is a pidfd of it.
    void employ(WorkerMemory& memory, int process) {
        memory_ = &memory;
        understudy_ = process;
    }

    // A connection is served, with what `stream` has passed on by now (received(), sent()). `parked`: what its seat says
    // of a request that has begun.
    template <class Stream>
    void begin(int fd, std::uint32_t generation, const Stream& stream, std::uint32_t parked) {
        if (!is_on()) return;
        picture_ = {};
        picture_.fd = fd;
        picture_.generation = generation;
        picture_.phase = DeskPhase::reading;
        picture_.parked = parked;
        picture_.received = stream.received();
        picture_.sent = stream.sent();
    }
    // It goes on where it was parked: with answers that wait, or with requests that do.
    void resume(std::string_view unconsumed) {
        if (!is_on()) return;
        picture_.input = range_of(unconsumed);
        show();
    }
    // Bytes are about to be read, to behind `unconsumed`.
    void read_to(std::string_view unconsumed, std::size_t room) {
        if (!is_on()) return;
        picture_.phase = DeskPhase::reading;
        picture_.input = range_of(unconsumed);
        picture_.input_room = static_cast<std::uint32_t>(room);
        show();
    }
    void note_read(std::size_t count) {
        if (!is_on()) return;
        picture_.input.size += static_cast<std::uint32_t>(count);
        picture_.input_room = 0;
        picture_.received += count;
        show();
    }
    // Whole answers are there, those in `output` and, where there is a `parked`, those that it says. `unconsumed`: what
    // was read behind their requests.
    void answer(std::string_view unconsumed, std::string_view output, std::uint32_t parked, Ending ending,
                std::uint64_t sent) {
        if (!is_on()) return;
        picture_.ending = ending;
        picture_.phase = DeskPhase::answered;
        picture_.input = range_of(unconsumed);
        picture_.input_room = 0;
        picture_.output = range_of(output);
        picture_.parked = parked;
        picture_.sent = sent;
        show();
    }
    void end() {
        if (is_on()) memory_->desk().clear();
    }

    // The app is called; `output` are the answers before its own, `id` is its request's. Until leave_app(), or between
    // recall() and lend_again(), the understudy may send them.
    void enter_app(std::string_view output, std::uint64_t sent, bool is_head_request, std::string_view id,
                   SteadyTime deadline) {
        if (!is_on()) return;
        picture_.phase = DeskPhase::in_app;
        picture_.output = range_of(output);
        picture_.sent = sent;
        picture_.is_head_request = is_head_request;
        picture_.request_id = range_of(id);
        set_deadline(deadline);
        show();
        memory_->token().lend();
    }
    void set_deadline(SteadyTime deadline) {
        if (is_on()) memory_->desk().set_deadline(deadline.time_since_epoch().count());
    }
    // The app has returned, or sends something. How many bytes of the answers before its own are out by now.
    std::uint32_t recall() {
        if (!is_on()) return 0;
        if (!memory_->token().take_back()) wait_for_token();
        return memory_->desk().sent_for_worker() == 0 ? 0 : memory_->desk().take_sent();
    }
    // Some of the response is about to go out.
    void note_begun() {
        if (!is_on()) return;
        picture_.phase = DeskPhase::begun;
        memory_->desk().set_phase(DeskPhase::begun);
    }
    // It is still the app's turn. `output`: what is left of whole answers, if there is nothing else in it.
    void lend_again(std::string_view output, std::uint64_t sent) {
        if (!is_on()) return;
        if (picture_.phase != DeskPhase::begun) {
            picture_.output = range_of(output);
            picture_.sent = sent;
            show();
        }
        memory_->token().lend_again();
    }

    // The understudy has moved connections since it was asked last: their seats are empty.
    bool has_moved() {
        if (!is_on()) return false;
        const std::uint32_t moved = memory_->notes().moved.load(std::memory_order_relaxed);
        return std::exchange(moved_, moved) != moved;
    }
    // It has taken the interest in all but connections out of the epoll.
    bool was_made_quiet() {
        return is_on() && memory_->notes().is_quiet.load(std::memory_order_relaxed) &&
               memory_->notes().is_quiet.exchange(false);
    }

  private:
    void show() { memory_->desk().show(picture_); }
    ArenaRange range_of(std::string_view bytes) const {
        const Arena& arena = memory_->arena();
        if (!arena.contains(bytes.data())) return {};
        return {static_cast<std::uint32_t>(arena.offset_of(bytes.data())), static_cast<std::uint32_t>(bytes.size())};
    }
    void wait_for_token();

    WorkerMemory* memory_ = nullptr;
    int understudy_ = -1;
    std::uint32_t moved_ = 0;
    DeskPicture picture_{};
};

} // namespace cppcorn

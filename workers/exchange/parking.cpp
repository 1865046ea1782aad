#include "workers/exchange/parking.hpp"

#include <cstring>
#include <utility>

namespace cppcorn {
namespace {

// What is written down of some bytes; `whole` is false from the first that are not in the arena on.
ArenaRange range_of(const Arena& arena, std::string_view bytes, bool& whole) {
    if (bytes.empty()) return {0, 0};
    whole = whole && arena.contains(bytes.data());
    return {static_cast<std::uint32_t>(arena.offset_of(bytes.data())), static_cast<std::uint32_t>(bytes.size())};
}

} // namespace

const ParkedRequest* Parking::park(const Arena& arena, Stage stage, Ending ending, bool input_held) {
    last_ = 1 - last_;
    Parked& parked = parked_[last_];
    RequestState& state = parked.request.state;
    state = {};
    state.stage = stage;
    state.ending = ending;
    const auto note = [&](RequestState::Flag flag, bool is_set) {
        if (is_set) state.flags |= flag;
    };
    const bool has_head = stage >= Stage::body && parts_.parser.head().size > 0;
    note(RequestState::input_held, input_held);
    note(RequestState::head_is_here, has_head);
    note(RequestState::ends_with_close, parts_.response.ends_with_connection());
    note(RequestState::body_complete, parts_.body.complete());
    note(RequestState::continue_wanted, parts_.body.continue_wanted());
    if (const SpoolFile* const file = parts_.body.file()) {
        state.flags |= RequestState::body_is_in_file;
        state.body_fd = file->fd();
        state.body_in_file = file->size();
    }
    state.drained_from = parts_.body.drained_from();
    const http::BodyProgress body = parts_.parser.body_progress();
    state.body = {body.left, body.size, body.chunk_lines, body.phase, body.chunk_line, body.last, {}};

    bool whole =
        arena.contains(this) && stage != Stage::ready && parts_.output.file_count() <= RequestState::most_files;
    if (!whole) return nullptr;
    const auto section = [&](Section which, std::string_view bytes) {
        parked.request.sections[static_cast<int>(which)] = range_of(arena, bytes, whole);
    };
    section(Section::head, has_head ? parts_.parser.head_bytes() : std::string_view());
    section(Section::body, stage == Stage::body ? parts_.body.gathered() : std::string_view());
    section(Section::input, parts_.input.unconsumed());
    section(Section::output, park_output(parked));
    section(Section::lines, parts_.log.held_lines());
    return whole ? &parked.request : nullptr;
}

// In one run, where it is in several.
std::string_view Parking::park_output(Parked& parked) {
    const OutputQueue& output = parts_.output;
    if (!output.holds_file()) return output.bytes();
    has_output_ = true;
    parked.output = output.bytes();
    RequestState& state = parked.request.state;
    output.for_each_file([&](int fd, std::int64_t offset, std::uint64_t left, std::string_view after) {
        state.files[state.file_count++] = {offset, left, static_cast<std::uint32_t>(parked.output.size()), fd};
        parked.output += after;
    });
    return parked.output;
}

void Parking::forget_output() {
    for (auto& each : parked_) Bytes().swap(each.output);
    has_output_ = false;
}

void Parking::restore_input(const MovedConnection& moved) {
    const std::string_view head = moved.section(Section::head);
    const std::string_view input = moved.section(Section::input);
    const InputBuffer::Room room = parts_.input.room(head.size() + input.size() + 1);
    std::memcpy(room.data, head.data(), head.size());
    std::memcpy(room.data + head.size(), input.data(), input.size());
    parts_.input.commit(head.size() + input.size());
}

bool Parking::restore_body(MovedConnection& moved, Spool& spool) {
    const RequestState& state = moved.record.request;
    const BodyState& body = state.body;
    if (!parts_.parser.resume_body({body.left, body.size, body.chunk_lines, body.phase, body.chunk_line, body.last}))
        return false;
    parts_.body.resume(moved.section(Section::body), state.drained_from, state.has(RequestState::body_complete),
                       state.has(RequestState::continue_wanted));
    if (state.has_body_file()) parts_.body.resume_file(spool, std::move(moved.body_file), state.body_in_file);
    return true;
}

void Parking::restore_output(MovedConnection& moved) {
    const RequestState& state = moved.record.request;
    const std::string_view output = moved.section(Section::output);
    std::size_t at = 0;
    for (int i = 0; i < state.file_count; ++i) {
        const OutputFile& file = state.files[i];
        parts_.output.tail() += output.substr(at, file.before - at);
        parts_.output.append_file(std::move(moved.output_files[i]), file.offset, file.left);
        at = file.before;
    }
    parts_.output.tail() += output.substr(at);
    if (state.has(RequestState::ends_with_close)) parts_.response.set_ends_with_connection();
    parts_.log.resume(moved.section(Section::lines));
}

} // namespace cppcorn

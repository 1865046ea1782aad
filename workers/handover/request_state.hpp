// How far a connection has come with a request and its answers, beside their bytes: plain data, of which a process that
// reads it takes nothing for granted.
#pragma once

#include <cstdint>
#include <type_traits>

namespace cppcorn {

// How far a request has come.
enum class Stage : std::uint8_t { fresh, head, offered, body, ready, draining, answered };

// What becomes of the connection behind an answer.
enum class Ending : std::uint8_t {
    keep,   // it can be used again
    close,  // at once, unless the client has sent more
    linger, // the client may still be sending: a plain close could destroy the answer on its way (RFC 9112, 9.6)
    reset,  // at once, and so that the client cannot take a response that was cut for a whole one
};

// Which bytes there are. Each kind is one run.
enum class Section : std::uint8_t {
    head,   // of the request whose body is being read: its head, as sent
    body,   // of the same: what is here of its body, decoded. Nothing where the body goes into a file
    input,  // read from the client, and not looked at yet (or not to the end: a head that is not whole)
    output, // answers that the client has not got yet; behind them, those that follow each file
    lines,  // of the access log, for answers in `output`
};
inline constexpr int section_count = 5;

// A part of a file that is to be sent; it stands in the output behind `before` bytes of it.
struct OutputFile {
    std::int64_t offset;
    std::uint64_t left;
    std::uint32_t before;
    std::int32_t fd; // in the worker's process; on the wire, which of the message's descriptors
};

// As http::BodyProgress.
struct BodyState {
    std::uint64_t left;
    std::uint64_t size;
    std::uint64_t chunk_lines;
    std::uint8_t phase;
    std::uint8_t chunk_line;
    char last;
    std::uint8_t reserved[5];
};

struct RequestState {
    enum Flag : std::uint8_t {
        input_held = 1,       // complete requests may be in `input`
        continue_wanted = 2,  // the client waits for "100 Continue"
        body_complete = 4,    //
        ends_with_close = 8,  // the last answer's only mark of its end is the connection's
        head_is_here = 16,    // the section `head`
        body_is_in_file = 32, // body_fd has it
    };
    static constexpr int most_files = 2;

    bool has(Flag flag) const { return (flags & flag) != 0; }
    bool has_body_file() const { return has(body_is_in_file); }

    Stage stage;
    Ending ending;
    std::uint8_t flags;
    std::uint8_t file_count;
    std::int32_t body_fd; // as OutputFile::fd
    BodyState body;
    std::uint64_t body_in_file; // bytes
    std::uint64_t drained_from;
    OutputFile files[most_files];
};

static_assert(std::is_trivially_copyable_v<RequestState>);

} // namespace cppcorn

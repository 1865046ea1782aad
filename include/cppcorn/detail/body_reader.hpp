// The body of a request, read as it arrives.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <cppcorn/abi.h>
#include <cppcorn/errors.hpp>

namespace cppcorn {
inline namespace kit {

// Valid as long as its request, on that request's thread. Each byte is read once: no two calls return the same.
class BodyReader {
  public:
    static constexpr std::size_t default_max = 1024 * 1024;

    BodyReader(const cppcorn_host& host, const cppcorn_request& request) : host_(host), request_(request) {}
    BodyReader(const BodyReader&) = delete;
    BodyReader& operator=(const BodyReader&) = delete;

    // Reads the next bytes: at least one, or 0 at the end. Blocks until some arrive. Throws BodyError.
    std::size_t read(char* buffer, std::size_t size) {
        if (size == 0) return 0;
        const std::int64_t count = host_.read(&request_, buffer, size);
        if (count < 0) {
            failed_ = true;
            throw BodyError(static_cast<int>(-count));
        }
        taken_ += count;
        return static_cast<std::size_t>(count);
    }
    std::size_t read(std::span<char> buffer) { return read(buffer.data(), buffer.size()); }

    // Reads what is left. Throws BodyError; its code is EFBIG if that is more than `max` bytes. There is always a
    // limit, because the client decides how long its body is.
    std::string read_all(std::size_t max = default_max) {
        const std::int64_t left = request_.content_length - taken_;
        if (left > 0 && static_cast<std::uint64_t>(left) > max) throw BodyError(EFBIG);
        std::string all;
        if (left > 0) all.reserve(static_cast<std::size_t>(left));
        char piece[16 * 1024];
        while (const std::size_t count = read(piece, sizeof piece)) {
            if (count > max - all.size()) throw BodyError(EFBIG);
            all.append(piece, count);
        }
        return all;
    }

    // The server cannot give the body. It then answers by itself, if nobody else does.
    bool failed() const { return failed_; }

  private:
    const cppcorn_host& host_;
    const cppcorn_request& request_;
    std::int64_t taken_ = 0;
    bool failed_ = false;
};

} // namespace kit
} // namespace cppcorn

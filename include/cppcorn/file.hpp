// A file, or a part of one, as the body of a response.
#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <cppcorn/detail/file_error.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cppcorn {
inline namespace kit {

// Owns an open descriptor of a regular file, and a range of its bytes. Move-only; the destructor closes the descriptor,
// which is close-on-exec unless it was adopted. The server sends the bytes with sendfile where it can. The file must
// not change until they are sent: if it gets shorter, the connection is cut.
class File {
  public:
    static constexpr std::int64_t to_end = -1;

    // Throws std::system_error, which names the path, if there is no such regular file, if it cannot be opened for
    // reading, or if it does not have these bytes.
    explicit File(const std::string& path, std::int64_t offset = 0, std::int64_t size = to_end)
        : File(open_descriptor(path), path, offset, size) {}

    // The same for a descriptor that is open already. Takes it over, and closes it if this throws.
    static File adopt(int descriptor, std::int64_t offset = 0, std::int64_t size = to_end) {
        return {descriptor, "the file", offset, size};
    }

    // The same, and throws for no errno. Where it returns std::nullopt, `error` says why; otherwise `error` is cleared.
    static std::optional<File> adopt(int descriptor, std::error_code& error) {
        File file(descriptor);
        error.assign(file.examine(0, to_end), std::generic_category());
        if (error) return std::nullopt;
        return file;
    }

    // The whole file, for paths that come from a client. std::nullopt if there is no such file, if it is no regular
    // file, or if it may not be read. Throws std::system_error, as the constructor does, if the path is not to blame:
    // descriptors or memory have run out, the disk cannot be read.
    static std::optional<File> open(const std::string& path) {
        std::error_code error;
        std::optional<File> file = open(path, error);
        const auto reason = detail::classify_file_error(error.value());
        if (file.has_value() || reason == detail::FileError::missing || reason == detail::FileError::forbidden) {
            return file;
        }
        throw std::system_error(error, "cannot open " + path);
    }

    // The same, and throws for no errno. Where it returns std::nullopt, `error` says why; otherwise `error` is cleared.
    static std::optional<File> open(const std::string& path, std::error_code& error) {
        return adopt(open_descriptor(path), error);
    }

    File(File&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          offset_(other.offset_),
          size_(other.size_),
          modified_(other.modified_) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        offset_ = other.offset_;
        size_ = other.size_;
        modified_ = other.modified_;
        return *this;
    }
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    int descriptor() const { return descriptor_; }
    std::int64_t offset() const { return offset_; }
    std::int64_t size() const { return size_; }                    // bytes from offset() on
    std::time_t last_modified() const { return modified_.tv_sec; } // seconds since the epoch, when it was opened
    std::timespec last_modified_time() const {
        return modified_;
    } // the same, with what the file system has of a second

    // Leaves it these bytes of those that it has, counted from offset(). Throws std::out_of_range if it has not got them.
    void narrow(std::int64_t from, std::int64_t size) {
        if (from < 0 || size < 0 || from > size_ || size > size_ - from)
            throw std::out_of_range("no such part of the file");
        offset_ += from;
        size_ = size;
    }

  private:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(int descriptor, const std::string& name, std::int64_t offset, std::int64_t size) : File(descriptor) {
        if (const int error = examine(offset, size); error != 0) {
            throw std::system_error(error, std::generic_category(), "cannot open " + name);
        }
    }

    // O_NONBLOCK: do not wait for a writer if the path is a named pipe. A zero byte in the path would cut it short.
    static int open_descriptor(const std::string& path) {
        if (path.find('\0') != std::string::npos) {
            errno = ENOENT;
            return -1;
        }
        return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    }

    // 0 or an errno.
    int examine(std::int64_t offset, std::int64_t size) {
        struct stat status {};
        if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) return errno != 0 ? errno : EBADF;
        if (S_ISDIR(status.st_mode)) return EISDIR;
        if (!S_ISREG(status.st_mode) || offset < 0 || size < to_end || offset > status.st_size) return EINVAL;
        const std::int64_t available = status.st_size - offset;
        if (size > available) return EINVAL;
        offset_ = offset;
        size_ = size == to_end ? available : size;
        modified_ = status.st_mtim;
        return 0;
    }

    int descriptor_ = -1;
    std::int64_t offset_ = 0;
    std::int64_t size_ = 0;
    std::timespec modified_{};
};

} // namespace kit
} // namespace cppcorn

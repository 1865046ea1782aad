// An unnamed file in which bytes of one client wait, to be read by the app or sent: written at its end, read from
// anywhere. It has no name in the file system, so it is gone with its last descriptor, however the worker ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/server_fd.hpp"
#include "workers/transport/spool.hpp"

namespace cppcorn {

// Owns the file, and a share of the spool. One thread. A child that the app forks does not keep it.
class SpoolFile {
  public:
    enum class Result : std::uint8_t {
        done,
        no_room, // for now; as it was
        failed,  // it cannot be written, nor is there memory for it; as it was
    };

    // In the spool's directory; where that is not possible, which is logged, in memory. Null: neither. `expected`: as in
    // Spool::Share. The spool outlives it.
    static std::unique_ptr<SpoolFile> open(Spool& spool, std::uint64_t expected = 0);
    // One that another worker has made, with `size` bytes in it, of `expected`.
    static std::unique_ptr<SpoolFile> adopt(Spool& spool, UniqueFd file, std::uint64_t size,
                                            std::uint64_t expected = 0);

    bool has_room(std::uint64_t bytes) const { return share_.has_room(bytes); }
    Result append(std::string_view first, std::string_view second = {});
    // Count of bytes, or a negative errno. 0 only at the end.
    std::int64_t read(char* buffer, std::size_t room, std::uint64_t offset) const;
    // So large that what comes next shall go to another one. Of a file that is being sent no part can be given back: the
    // kernel may hold its pages, on the way to the client, and would send zeros.
    bool is_long() const { return size_ >= spool_.long_file(); }

    int fd() const { return file_.get(); }
    std::uint64_t size() const { return size_; }
    bool in_memory() const { return share_.in_memory(); }

    SpoolFile(Spool& spool, UniqueFd file, std::uint64_t size, std::uint64_t expected);

  private:
    bool move_to_memory();

    Spool& spool_;
    Spool::Share share_;
    ServerFd file_;
    std::uint64_t size_ = 0;
};

// Logs it if no file can be made in the directory of a spool of these settings, by what can be known without trying.
void check_spool_directory(const std::string& directory, std::uint64_t limit);

} // namespace cppcorn

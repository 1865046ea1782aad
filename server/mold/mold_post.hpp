// What the master and a mold say to each other: messages on a pair of sockets. The mold's end is its own until it ends,
// so that the end of either process is the end of the other's socket.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <sys/types.h>

#include "base/server_fd.hpp"
#include "base/unique_fd.hpp"

namespace cppcorn {

// The two ends. Throws std::system_error.
struct MoldPost {
    ServerFd master;
    ServerFd mold;

    static MoldPost open();
};

struct MoldOrder {
    enum class Kind : std::int32_t {
        fork,        // a worker, for that slot: it says MoldNotice::forked, or the mold says failed
        change_log,  // the error log of the mold's release is in use from now on
        reopen_logs, // they were moved away
    };

    Kind kind = Kind::fork;
    int slot = -1;
    UniqueFd bell;            // the worker's
    UniqueFd understudy_bell; // not open: it is to have no understudy
};

struct MoldNotice {
    enum class Kind : std::int32_t {
        loaded, // the app is there
        forked, // from the worker itself, once it is the master's child
        failed, // there can be no process: `error`
    };

    Kind kind = Kind::loaded;
    std::int32_t pid = 0;
    std::int32_t error = 0;
};

// Master. `bells` are the worker's and, if it is to have one, its understudy's. False: the mold has ended.
bool send_order(int post, MoldOrder::Kind kind, int slot = -1, std::span<const int> bells = {});
// Mold. Waits for the next one; false: the master is gone, or needs this mold no more.
bool receive_order(int post, MoldOrder& order);

// Mold, or worker. False: nobody hears it any more.
bool send_notice(int post, const MoldNotice& notice);
enum class MoldPostState { message, nothing, ended };
// Master. Never waits.
MoldPostState receive_notice(int post, MoldNotice& notice);

} // namespace cppcorn

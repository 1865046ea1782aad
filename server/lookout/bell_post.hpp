// How the lookout comes by the bells of the understudies, which are made after it: by messages on a pair of sockets
// from the master, each with a slot's number and the bell's descriptor.
#pragma once

#include <optional>

#include "base/server_fd.hpp"
#include "base/unique_fd.hpp"

namespace cppcorn {

// The two ends; neither blocks. Throws std::system_error.
struct BellPost {
    ServerFd master;
    ServerFd lookout;

    static BellPost open();
};

// Master: this is the bell of the understudy in that slot; -1: there is none any more. False: it cannot be sent now, as
// the lookout does not read, or has ended.
bool send_bell(int post, int slot, int bell);

struct BellMessage {
    int slot = -1;
    UniqueFd bell; // none: forget the one that there was
};

enum class BellPostState { message, nothing, ended };

// Lookout: the next one, if there is one.
BellPostState receive_bell(int post, BellMessage& message);

} // namespace cppcorn

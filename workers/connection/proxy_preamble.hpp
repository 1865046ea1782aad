// The PROXY protocol's header at the beginning of a connection (workers/http/proxy_protocol.hpp), and who may send it.
#pragma once

#include "workers/context/peer.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/transport/input_buffer.hpp"

namespace cppcorn {

enum class Preamble { need_more, done, refused };

// Takes the header off the input, and makes `peer` the client that it tells. Also done where there is no header and
// none has to be. Refused: the connection is to be closed without an answer, the log says why.
Preamble take_preamble(InputBuffer& input, Peer& peer, WorkerContext& context);

} // namespace cppcorn

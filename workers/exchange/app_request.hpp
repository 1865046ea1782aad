// One request as the app sees it: the ABI's struct over the parsed head, and the memory for what is decoded.
#pragma once

#include <string>
#include <vector>

#include <cppcorn/abi.h>

#include "workers/context/peer.hpp"
#include "workers/exchange/request_body.hpp"
#include "workers/http/forwarded.hpp"
#include "workers/http/request_head.hpp"

namespace cppcorn {

class AppRequest {
  public:
    // Views into all that it is given, which stays in place until the next call. `host_data` is what the app hands back
    // with each call.
    const cppcorn_request& fill(const http::RequestHead& head, const RequestBody& body,
                                const http::ForwardingRules::ForwardedInfo& forwarded, const Peer& peer,
                                std::string_view root_path, const void* host_data);

  private:
    cppcorn_request request_{};
    std::vector<cppcorn_field> fields_;
    std::string path_;        // decoded, where it differs from what was sent
    std::string script_name_; // the same
};

} // namespace cppcorn

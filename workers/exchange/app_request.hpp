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
    // `host_data` is what the app hands back with each call.
    explicit AppRequest(const void* host_data) {
        request_.size = sizeof request_;
        request_.host_data = host_data;
    }

    // Views into all that it is given, which stays in place until the next call.
    const cppcorn_request& fill(const http::RequestHead& head, const RequestBody& body,
                                const http::ForwardingRules::ForwardedInfo& forwarded, const Peer& peer,
                                const std::string& root_path);

  private:
    cppcorn_request request_{};
    std::vector<cppcorn_field> fields_;
    std::string path_;        // decoded, where it differs from what was sent
    std::string script_name_; // the same
};

} // namespace cppcorn

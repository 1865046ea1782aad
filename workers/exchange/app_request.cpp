#include "workers/exchange/app_request.hpp"

#include "workers/http/mount.hpp"
#include "workers/http/percent.hpp"

namespace cppcorn {
namespace {

cppcorn_str to_abi(std::string_view text) {
    return {text.data(), text.size()};
}

} // namespace

const cppcorn_request& AppRequest::fill(const http::RequestHead& head, const RequestBody& body,
                                        const http::ForwardingRules::ForwardedInfo& forwarded, const Peer& peer,
                                        const std::string& root_path) {
    fields_.resize(head.fields.size());
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        fields_[i] = {to_abi(head.fields[i].name), to_abi(head.fields[i].value)};
    }
    request_.http_minor = static_cast<std::uint32_t>(head.minor);
    request_.method = to_abi(head.method);
    request_.target = to_abi(head.target);
    std::string_view path = head.path;
    if (path.find('%') != std::string_view::npos) {
        http::percent_decode(head.path, path_);
        path = path_;
    }
    const std::string_view script_name = http::decoded_mount(
        forwarded.has_script_name ? forwarded.script_name : std::string_view(root_path), script_name_);
    request_.script_name = to_abi(script_name);
    request_.path = to_abi(http::path_below(path, script_name));
    request_.query = to_abi(head.query);
    request_.scheme = to_abi(forwarded.secure ? "https" : "http");
    request_.authority = to_abi(head.authority);
    request_.fields = fields_.data();
    request_.field_count = fields_.size();
    request_.content_length = body.size();
    request_.remote_address = to_abi(peer.address);
    request_.remote_port = peer.port;
    request_.server_name = to_abi(peer.listener->server_name);
    request_.server_port = peer.listener->server_port;
    return request_;
}

} // namespace cppcorn

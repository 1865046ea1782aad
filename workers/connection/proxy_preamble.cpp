#include "workers/connection/proxy_preamble.hpp"

#include <spdlog/spdlog.h>

#include "workers/http/proxy_protocol.hpp"

namespace cppcorn {
namespace {

using Kind = http::ProxyReading::Kind;

Preamble refuse(const Peer& peer, WorkerContext& context, const char* reason) {
    const auto limit = context.proxy_refusals.ask(context.now());
    if (limit.suppressed > 0) spdlog::warn("suppressed {} more PROXY-header warnings", limit.suppressed);
    if (limit.allowed) spdlog::warn("Connection from ip={} closed: {}", peer.address, reason);
    return Preamble::refused;
}

// Trust goes by the client that is told, as its bytes may have come through untouched: a proxy that speaks this
// protocol often knows nothing of HTTP. A client that is not told is a stranger.
void apply(const http::ProxyHeader& header, Peer& peer, const WorkerSettings& settings) {
    using Source = http::ProxyHeader::Source;
    if (header.source == Source::proxy) return;
    if (header.source == Source::unknown) {
        peer.trusted = settings.forwarded_allow_ips.holds_all();
        return;
    }
    set_address(peer, header.address, header.port);
    peer.trusted = settings.forwarded_allow_ips.contains(header.address);
}

} // namespace

Preamble take_preamble(InputBuffer& input, Peer& peer, WorkerContext& context) {
    const http::ProxyProtocol expected = context.settings.proxy_protocol;
    // From those who may not send one, either version is looked for, to be refused by its name.
    const auto reading =
        http::read_proxy_header(input.unconsumed(), peer.may_send_preamble ? expected : http::ProxyProtocol::automatic);
    const bool optional = expected == http::ProxyProtocol::automatic || !peer.may_send_preamble;
    switch (reading.kind) {
        case Kind::need_more:
            return Preamble::need_more;
        case Kind::absent:
            return optional ? Preamble::done : refuse(peer, context, "no PROXY header, which --proxy-protocol demands");
        case Kind::refused:
        case Kind::done:
            break;
    }
    if (!peer.may_send_preamble) return refuse(peer, context, "a PROXY header, which --proxy-allow-from forbids");
    if (reading.kind == Kind::refused) return refuse(peer, context, reading.reason);
    input.consume(reading.consumed);
    apply(reading.header, peer, context.settings);
    return Preamble::done;
}

} // namespace cppcorn

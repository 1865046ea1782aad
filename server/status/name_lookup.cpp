#include "server/status/name_lookup.hpp"

#include <cstring>
#include <utility>

#include <netdb.h>

namespace cppcorn {

// Stays where it is while the thread has it.
struct NameLookup::Question {
    std::string host;
    std::string port;
    addrinfo hints{};
    gaicb control{};
    int begin_error = 0;

    ~Question() {
        if (control.ar_result != nullptr) ::freeaddrinfo(control.ar_result);
    }
};

NameLookup::NameLookup() = default;

NameLookup::~NameLookup() {
    if (question_ == nullptr || question_->begin_error != 0) return;
    const int result = ::gai_cancel(&question_->control);
    const bool is_ours = result == EAI_CANCELED || result == EAI_ALLDONE;
    if (!is_ours) [[maybe_unused]]
        auto* const left = question_.release();
}

void NameLookup::begin(const std::string& host, std::uint16_t port) {
    question_ = std::make_unique<Question>();
    question_->host = host;
    question_->port = std::to_string(port);
    question_->hints.ai_socktype = SOCK_DGRAM;
    question_->control.ar_name = question_->host.c_str();
    question_->control.ar_service = question_->port.c_str();
    question_->control.ar_request = &question_->hints;
    gaicb* list[] = {&question_->control};
    question_->begin_error = ::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr);
}

std::optional<NameLookup::Answer> NameLookup::take_answer() {
    if (question_ == nullptr) return std::nullopt;
    const int error = question_->begin_error != 0 ? question_->begin_error : ::gai_error(&question_->control);
    if (error == EAI_INPROGRESS) return std::nullopt;
    const auto question = std::exchange(question_, nullptr);
    if (error != 0) return Answer{std::nullopt, ::gai_strerror(error)};
    const addrinfo* const first = question->control.ar_result;
    const addrinfo* chosen = first;
    while (chosen != nullptr && chosen->ai_family != AF_INET) chosen = chosen->ai_next;
    if (chosen == nullptr) chosen = first;
    if (chosen == nullptr) return Answer{std::nullopt, ::gai_strerror(EAI_NONAME)};
    SocketAddress address;
    std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
    address.size = chosen->ai_addrlen;
    return Answer{address, {}};
}

} // namespace cppcorn

#include "workers/http/header_rules.hpp"

#include "workers/http/request_line.hpp"
#include "workers/http/text.hpp"

namespace cppcorn::http {

Verdict HeaderRules::add(std::string_view line, RequestHead& head) {
    Line parts;
    Verdict verdict = split(line, parts);
    if (!verdict.accepted() || parts.dropped) return verdict;
    verdict = note(parts.field, head.fields.size());
    if (verdict.accepted()) head.fields.push_back(parts.field);
    return verdict;
}

Verdict HeaderRules::split(std::string_view line, Line& result) const {
    std::size_t colon = 0;
    bool underscore = false;
    for (; colon < line.size() && is_token_char(line[colon]); ++colon) underscore |= line[colon] == '_';
    if (colon == line.size()) return {400, "field line without a colon"};
    if (colon == 0 || line[colon] != ':') return {400, "malformed field name"};

    result.field.name = line.substr(0, colon);
    result.field.value = trim(line.substr(colon + 1));
    if (has_control(result.field.value)) return {400, "control byte in a field value"};
    if (!underscore || underscores_ == UnderscoreNames::keep) return {};
    if (kept_ && kept_->contains(result.field.name)) return {};
    result.dropped = true;
    return underscores_ == UnderscoreNames::drop ? Verdict{} : Verdict{400, "underscore in a field name"};
}

// The length of a name tells most of them apart; only a few are compared at all.
Verdict HeaderRules::note(const Field& field, std::size_t index) {
    auto is = [&](std::string_view name) { return is_named(field.name, name); };
    switch (field.name.size()) {
        case 4:
            if (!is("host")) break;
            if (host_ >= 0) return {400, "repeated Host"};
            host_ = static_cast<std::ptrdiff_t>(index);
            break;
        case 6:
            if (is("expect")) note_expect(field.value);
            break;
        case 10:
            if (is("connection")) note_connection(field.value);
            break;
        case 12:
            if (!is("content-type")) break;
            if (content_type_seen_) return {400, "repeated Content-Type"};
            content_type_seen_ = true;
            break;
        case 14:
            if (is("content-length")) return note_content_length(field.value);
            break;
        case 17:
            if (is("transfer-encoding")) note_codings(field.value);
            break;
    }
    return {};
}

Verdict HeaderRules::note_content_length(std::string_view value) {
    if (content_length_ >= 0) return {400, "repeated Content-Length"};
    if (value.empty()) return {400, "empty Content-Length"};
    if (value.size() > 18) return {400, "Content-Length of more than 18 digits"};
    content_length_ = 0;
    for (char c : value) {
        if (!is_digit(c)) return {400, "malformed Content-Length"};
        content_length_ = content_length_ * 10 + (c - '0');
    }
    return {};
}

void HeaderRules::note_connection(std::string_view value) {
    while (!value.empty()) {
        std::string_view option = take_element(value);
        if (equal_ignoring_case(option, "close")) close_ = true;
        if (equal_ignoring_case(option, "keep-alive")) keep_alive_ = true;
    }
}

void HeaderRules::note_expect(std::string_view value) {
    while (!value.empty()) {
        std::string_view expectation = take_element(value);
        if (expectation.empty()) continue;
        (equal_ignoring_case(expectation, "100-continue") ? expect_continue_ : expect_other_) = true;
    }
}

// Only one "chunked" is served. The rest is told apart for the answer: what makes no sense (400) from what we do not do
// (501).
void HeaderRules::note_codings(std::string_view value) {
    if (!value.empty() && value.back() == ',') codings_ = Codings::malformed;
    do {
        std::string_view coding = take_element(value);
        if (!is_token(coding) || codings_ == Codings::chunked || codings_ == Codings::malformed) {
            codings_ = Codings::malformed;
        } else if (!equal_ignoring_case(coding, "chunked")) {
            codings_ = Codings::unsupported;
        } else if (codings_ == Codings::none) {
            codings_ = Codings::chunked;
        }
    } while (!value.empty());
}

Verdict HeaderRules::finish(const Limits& limits, RequestHead& head) const {
    Verdict verdict = check_host(head);
    if (verdict.accepted() && codings_ != Codings::none) verdict = check_codings(head);
    if (!verdict.accepted()) return verdict;

    head.keep_alive = !close_ && (head.minor == 1 || keep_alive_);
    if (head.minor == 1) {
        if (expect_other_) return {417, "unknown expectation"};
        head.expect_continue = expect_continue_;
    }
    if (codings_ == Codings::chunked) {
        head.content_length = -1;
    } else if (content_length_ > 0) {
        head.content_length = content_length_;
        if (limits.body > 0 && static_cast<std::uint64_t>(content_length_) > limits.body) {
            return {413, "Content-Length over the limit"};
        }
    }
    return {};
}

Verdict HeaderRules::check_codings(const RequestHead& head) const {
    if (codings_ == Codings::malformed) return {400, "malformed Transfer-Encoding"};
    if (head.minor == 0) return {400, "Transfer-Encoding on HTTP/1.0"};
    if (content_length_ >= 0) return {400, "Transfer-Encoding beside Content-Length"};
    if (codings_ == Codings::unsupported) return {501, "unknown transfer coding"};
    return {};
}

Verdict HeaderRules::check_host(RequestHead& head) const {
    if (host_ < 0) return head.minor == 0 ? Verdict{} : Verdict{400, "HTTP/1.1 without Host"};
    std::string_view& value = head.fields[static_cast<std::size_t>(host_)].value;
    if (!is_host(value)) return {400, "malformed Host"};
    if (head.authority.data()) {
        value = head.authority; // RFC 9112, 3.2.2: the app must not see another host than the target's
    } else {
        head.authority = value;
    }
    return {};
}

Verdict HeaderRules::check_trailer(std::string_view line) const {
    Line parts;
    Verdict verdict = split(line, parts);
    if (!verdict.accepted()) return verdict;
    for (std::string_view name : {"content-length", "transfer-encoding", "host"}) {
        if (equal_ignoring_case(parts.field.name, name)) return {400, "framing or routing field in a trailer"};
    }
    return {};
}

} // namespace cppcorn::http

#include "workers/http/response_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "workers/http/status.hpp"
#include "workers/http/text.hpp"

namespace cppcorn::http {

namespace {

enum class FieldKind { plain, date, server, content_length, connection, upgrade, hop_by_hop };

FieldKind kind_of(std::string_view name) {
    auto is = [&](std::string_view other) { return is_named(name, other); };
    switch (name.size()) {
        case 2:
            return is("te") ? FieldKind::hop_by_hop : FieldKind::plain;
        case 4:
            return is("date") ? FieldKind::date : FieldKind::plain;
        case 6:
            return is("server") ? FieldKind::server : FieldKind::plain;
        case 7:
            if (is("upgrade")) return FieldKind::upgrade;
            return is("trailer") ? FieldKind::hop_by_hop : FieldKind::plain;
        case 10:
            if (is("connection")) return FieldKind::connection;
            return is("keep-alive") ? FieldKind::hop_by_hop : FieldKind::plain;
        case 14:
            return is("content-length") ? FieldKind::content_length : FieldKind::plain;
        case 16:
            return is("proxy-connection") ? FieldKind::hop_by_hop : FieldKind::plain;
        case 17:
            return is("transfer-encoding") ? FieldKind::hop_by_hop : FieldKind::plain;
    }
    return FieldKind::plain;
}

// What the app's fields say, besides the text that they become.
struct Noted {
    bool date = false;
    bool server = false;
    bool close = false;
    bool upgrade = false;
    bool has_length = false;
    std::uint64_t length = 0;
};

bool read_length(std::string_view value, Noted& noted) {
    if (noted.has_length || value.empty() || value.size() > 18) return false;
    for (char c : value) {
        if (!is_digit(c)) return false;
    }
    std::from_chars(value.data(), value.data() + value.size(), noted.length);
    noted.has_length = true;
    return true;
}

void read_connection(std::string_view value, Noted& noted) {
    while (!value.empty()) noted.close |= equal_ignoring_case(take_element(value), "close");
}

// Writes where the caller has made room for the most that can come.
class HeadText {
  public:
    explicit HeadText(char* at) : at_(at) {}

    HeadText& add(std::string_view text) {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
        return *this;
    }
    const char* end() const { return at_; }

  private:
    char* at_;
};

constexpr std::size_t most_of_ours = 256; // the status line and the fields that are added, without Date and Server

std::size_t most_needed(const ResponseContext& context, std::span<const Field> fields) {
    std::size_t size = most_of_ours + context.date_line.size() + context.server_line.size() + context.reason.size();
    for (const Field& field : fields) size += field.name.size() + field.value.size() + 4;
    return size;
}

void add_status_line(int status, std::string_view reason, HeadText& head) {
    if (status == 200 && reason.empty()) {
        head.add("HTTP/1.1 200 OK\r\n");
        return;
    }
    const char digits[] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                           static_cast<char>('0' + status % 10), ' '};
    head.add("HTTP/1.1 ").add({digits, sizeof digits});
    head.add(reason.empty() ? reason_phrase(status) : reason).add("\r\n");
}

// False if a field must not be sent as it is.
bool add_fields(std::span<const Field> fields, int status, Noted& noted, HeadText& head) {
    const bool length_allowed = status != 204 && status != 205;
    for (const Field& field : fields) {
        if (!is_token(field.name) || has_control(field.value)) return false;
        const std::string_view value = trim(field.value);
        const FieldKind kind = kind_of(field.name);
        if (kind == FieldKind::hop_by_hop) continue;
        if (kind == FieldKind::upgrade) {
            if (status != 426) continue; // which must have it (RFC 9110, 15.5.22)
            noted.upgrade = true;
        }
        if (kind == FieldKind::connection) {
            read_connection(value, noted);
            continue;
        }
        if (kind == FieldKind::content_length) {
            if (!read_length(value, noted)) return false;
            if (!length_allowed) continue;
        }
        noted.date |= kind == FieldKind::date;
        noted.server |= kind == FieldKind::server;
        head.add(field.name).add(": ").add(value).add("\r\n");
    }
    return true;
}

void add_connection(bool keep_alive, int minor, bool upgrade, HeadText& head) {
    const std::string_view option = !keep_alive ? "close" : minor == 0 ? "keep-alive" : "";
    if (option.empty() && !upgrade) return;
    head.add("Connection: ").add(option);
    if (upgrade) head.add(option.empty() ? "upgrade" : ", upgrade");
    head.add("\r\n");
}

void append_chunk_size(std::uint64_t size, Bytes& out) {
    char hex[16];
    auto end = std::to_chars(hex, hex + sizeof hex, size, 16).ptr;
    out.append(hex, static_cast<std::size_t>(end - hex)).append("\r\n", 2);
}

} // namespace

bool write_early_hints(std::span<const Field> fields, Bytes& out) {
    std::string head = "HTTP/1.1 103 Early Hints\r\n";
    for (const Field& field : fields) {
        if (!is_token(field.name) || has_control(field.value)) return false;
        if (kind_of(field.name) != FieldKind::plain) continue;
        head.append(field.name).append(": ").append(trim(field.value)).append("\r\n");
    }
    head += "\r\n";
    out.append(std::string_view(head));
    return true;
}

bool ResponseWriter::begin(const ResponseContext& context, int status, std::span<const Field> fields, Bytes& out) {
    if (status < 200 || status > 599 || has_control(context.reason)) return false;
    const std::size_t before = out.size();
    out.resize(before + most_needed(context, fields));
    HeadText head(out.data() + before);
    Noted noted;
    add_status_line(status, context.reason, head);
    if (!add_fields(fields, status, noted, head)) {
        out.resize(before);
        return false;
    }

    status_ = status;
    ended_ = false;
    body_size_ = 0;
    declared_size_ = noted.length;
    keep_alive_ = context.keep_alive && !noted.close;
    if (context.head_request || status == 204 || status == 205 || status == 304) {
        framing_ = BodyFraming::none;
    } else if (noted.has_length) {
        framing_ = BodyFraming::length;
    } else {
        framing_ = context.minor == 0 ? BodyFraming::until_close : BodyFraming::chunked;
    }
    if (framing_ == BodyFraming::until_close) keep_alive_ = false;

    if (!noted.server) head.add(context.server_line);
    if (!noted.date) head.add(context.date_line);
    if (framing_ == BodyFraming::chunked) head.add("Transfer-Encoding: chunked\r\n");
    if (status == 205) head.add("Content-Length: 0\r\n"); // RFC 9110, 15.3.6
    add_connection(keep_alive_, context.minor, noted.upgrade, head);
    head.add("\r\n");
    out.resize(static_cast<std::size_t>(head.end() - out.data()));
    return true;
}

std::size_t ResponseWriter::body(std::string_view data, Bytes& out) {
    if (framing_ == BodyFraming::none) return data.size();
    std::string_view after;
    auto accepted = static_cast<std::size_t>(body_announced(data.size(), out, after));
    out.append(data.substr(0, accepted)).append(after);
    return accepted;
}

std::uint64_t ResponseWriter::body_announced(std::uint64_t size, Bytes& out, std::string_view& after) {
    after = std::string_view();
    if (framing_ == BodyFraming::none || ended_) return 0;
    if (framing_ == BodyFraming::length) size = std::min(size, declared_size_ - body_size_);
    if (framing_ == BodyFraming::chunked && size > 0) { // an empty chunk would be the last
        append_chunk_size(size, out);
        after = "\r\n";
    }
    body_size_ += size;
    return size;
}

bool ResponseWriter::end(Bytes& out) {
    bool whole = framing_ != BodyFraming::length || body_size_ == declared_size_;
    if (!ended_ && framing_ == BodyFraming::chunked) out.append("0\r\n\r\n", 5);
    if (!whole) keep_alive_ = false;
    ended_ = true;
    return whole;
}

} // namespace cppcorn::http

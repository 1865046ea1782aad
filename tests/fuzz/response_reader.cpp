#include "tests/fuzz/response_reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace fuzz {
namespace {

void require(bool holds, const char* rule) {
    if (!holds) throw BadResponse(rule);
}

struct Cut {}; // the bytes end here

bool is_text(char c) {
    const auto code = static_cast<unsigned char>(c);
    return c == '\t' || (code >= 0x20 && code != 0x7f);
}

bool is_name_char(char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 128 &&
           (std::isalnum(code) != 0 || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

std::uint64_t number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    require(error == std::errc() && end == text.data() + text.size() && !text.empty(), "a number");
    return value;
}

class Reader {
  public:
    Reader(std::string_view bytes, bool head_request, int minor)
        : bytes_(bytes), head_request_(head_request), minor_(minor) {}

    Response read() {
        try {
            read_head();
            read_body();
            response_.complete = true;
        } catch (const Cut&) {
            at_ = bytes_.size();
        }
        response_.size = at_;
        return response_;
    }

  private:
    std::string_view line() {
        const std::size_t lf = bytes_.find('\n', at_);
        const std::string_view found = bytes_.substr(at_, lf == std::string_view::npos ? lf : lf - at_);
        if (lf == std::string_view::npos) throw Cut();
        require(!found.empty() && found.back() == '\r', "CR before LF");
        at_ = lf + 1;
        require(std::all_of(found.begin(), found.end() - 1, is_text), "no control bytes in a line");
        return found.substr(0, found.size() - 1);
    }

    void read_head() {
        const std::string_view status = line();
        require(status.size() > 13 && status.substr(0, 9) == "HTTP/1.1 " && status[12] == ' ', "a status line");
        response_.status = static_cast<int>(number(status.substr(9, 3), 10));
        require(response_.status >= 100 && response_.status <= 599, "a status");
        for (std::string_view field = line(); !field.empty(); field = line()) take_field(field);
        judge_fields();
    }

    void take_field(std::string_view field) {
        const std::size_t colon = field.find(": ");
        require(colon != std::string_view::npos && colon > 0, "a field");
        std::string name(field.substr(0, colon));
        require(std::all_of(name.begin(), name.end(), is_name_char), "a field name");
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const std::string_view value = field.substr(colon + 2);
        require(value.empty() || (value.front() != ' ' && value.back() != ' '), "a value without blanks around it");
        response_.fields.emplace_back(std::move(name), value);
    }

    void judge_fields() {
        for (const char* once : {"content-length", "transfer-encoding", "connection"}) {
            require(std::count_if(response_.fields.begin(), response_.fields.end(),
                                  [&](const auto& field) { return field.first == once; }) <= 1,
                    "framing fields once");
        }
        const bool length = response_.has("content-length"), coding = response_.has("transfer-encoding");
        const bool bodiless = response_.status < 200 || response_.status == 204;
        require(!(length && coding), "one kind of framing");
        require(!bodiless || (!length && !coding), "no framing where there is no body");
        require(!coding || (response_.value("transfer-encoding") == "chunked" && minor_ == 1), "chunked is for 1.1");
        require(response_.status != 304 || !coding, "no coding for 304");
        require(response_.status >= 200 || response_.fields.empty(), "100 Continue is bare");
        require(response_.status != 205 || response_.value("content-length") == "0", "205 is empty, and says so");
        std::string connection = response_.value("connection");
        require(response_.has("upgrade") == (connection.find("upgrade") != std::string::npos), "Upgrade is an option");
        require(!response_.has("upgrade") || response_.status == 426, "Upgrade is for 426");
        connection = connection.substr(0, connection.find(connection == "upgrade" ? "upgrade" : ", upgrade"));
        require(connection.empty() || connection == "close" || (connection == "keep-alive" && minor_ == 0),
                "Connection");
        require(response_.status < 200 || minor_ == 1 || !connection.empty(), "to 1.0, Connection is always said");
        using Framing = Response::Framing;
        response_.framing = head_request_ || bodiless || response_.status == 304 ? Framing::none
                            : length                                             ? Framing::length
                            : coding                                             ? Framing::chunked
                                                                                 : Framing::until_close;
        require(response_.framing != Framing::until_close || response_.closes(), "no end but the connection's");
    }

    void take(std::uint64_t size) {
        const std::string_view here = bytes_.substr(at_, size);
        response_.body += here;
        at_ += here.size();
        if (here.size() < size) throw Cut();
    }

    void read_body() {
        if (response_.framing == Response::Framing::length) take(number(response_.value("content-length"), 10));
        if (response_.framing == Response::Framing::until_close) take(bytes_.size() - at_);
        if (response_.framing != Response::Framing::chunked) return;
        for (;;) {
            const std::string_view size = line();
            require(size == "0" || size.find_first_not_of('0') == 0, "no zeros in front of a chunk size");
            if (size == "0") break;
            take(number(size, 16));
            if (bytes_.size() - at_ < 2 && bytes_.substr(at_) == std::string_view("\r").substr(0, bytes_.size() - at_))
                throw Cut();
            require(bytes_.substr(at_, 2) == "\r\n", "CRLF behind a chunk");
            at_ += 2;
        }
        require(line().empty(), "no trailers");
    }

    std::string_view bytes_;
    bool head_request_;
    int minor_;
    std::size_t at_ = 0;
    Response response_;
};

} // namespace

std::string Response::value(std::string_view name) const {
    std::string joined;
    for (const auto& [field, value] : fields) {
        if (field == name) joined += (joined.empty() ? "" : ", ") + value;
    }
    return joined;
}

bool Response::has(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
}

Response read_response(std::string_view bytes, bool head_request, int minor) {
    return Reader(bytes, head_request, minor).read();
}

} // namespace fuzz

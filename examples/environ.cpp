// An app in WSGI's own shape. Shows its environ as JSON.
#include <string>
#include <string_view>

#include <cppcorn/app.hpp>

using namespace cppcorn;

// JSON text is UTF-8, but an environ may hold any byte. Bytes beyond ASCII are shown as the Latin-1 characters of the
// same number, as in WSGI.
std::string json_string(std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\') {
            json += '\\';
            json += c;
        } else if (byte >= 0x20 && byte < 0x7f) {
            json += c;
        } else {
            json += "\\u00";
            json += hex[byte / 16];
            json += hex[byte % 16];
        }
    }
    return json += '"';
}

Body app(const Environ& env, StartResponse& start_response) {
    start_response("200 OK", {{"Content-Type", "application/json"}});
    std::string json = "{";
    for (const auto& [name, value] : env) {
        json += json.size() > 1 ? ",\n " : "\n ";
        json += json_string(name) + ": " + json_string(value);
    }
    return json + "\n}\n";
}
CPPCORN_APP(app)

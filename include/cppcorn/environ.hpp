// A request in the terms of CGI and WSGI (RFC 3875, PEP 3333).
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include <cppcorn/request.hpp>

namespace cppcorn {
inline namespace kit {

// wsgi.errors: each text is one record of the server's error log. Valid as long as its request, on that request's thread.
class ErrorStream {
  public:
    explicit ErrorStream(const Request& request) : request_(request) {}
    void write(std::string_view text) const noexcept { request_.log_text(LogLevel::error, text); }

  private:
    const Request& request_;
};

// The variables, sorted by name: REQUEST_METHOD, PATH_INFO, QUERY_STRING, HTTP_HOST and so on, and those that begin
// with "wsgi.". Owns their names and values; refers to its request, and is valid as long as that. Views and references
// that it returns are valid as long as the Environ. Iterates over pairs of name and value.
class Environ {
  public:
    using Variables = std::map<std::string, std::string, std::less<>>;

    explicit Environ(Request& request) : request_(request) {
        add_request_line();
        add_addresses();
        add_gateway();
        for (const auto& [name, value] : request.fields()) add_field(name, value);
    }
    Environ(const Environ&) = delete;
    Environ& operator=(const Environ&) = delete;

    // Throws std::out_of_range, which names the variable, if there is none of that name; get() returns `fallback`.
    const std::string& operator[](std::string_view name) const {
        const auto found = variables_.find(name);
        if (found == variables_.end()) throw std::out_of_range("the environ has no " + std::string(name));
        return found->second;
    }
    std::string_view get(std::string_view name, std::string_view fallback = "") const {
        const auto found = variables_.find(name);
        return found == variables_.end() ? fallback : std::string_view(found->second);
    }
    bool contains(std::string_view name) const { return variables_.find(name) != variables_.end(); }

    auto begin() const { return variables_.begin(); }
    auto end() const { return variables_.end(); }
    std::size_t size() const { return variables_.size(); }

    // wsgi.input. Ends where the body ends, chunked or not (wsgi.input_terminated). Throws BodyError.
    BodyReader& input() const { return request_.input(); }
    // wsgi.errors
    ErrorStream errors() const { return ErrorStream(request_); }
    // The same request as an app of the other shape gets it: for log levels and deadlines.
    Request& request() const { return request_; }

  private:
    void set(std::string_view name, std::string_view value) { variables_.emplace(name, value); }

    void add_request_line() {
        set("REQUEST_METHOD", request_.method());
        set("SCRIPT_NAME", request_.script_name());
        set("PATH_INFO", request_.path());
        set("QUERY_STRING", request_.query());
        set("RAW_URI", request_.target());
        set("SERVER_PROTOCOL", request_.http_minor() == 0 ? "HTTP/1.0" : "HTTP/1.1");
    }

    void add_addresses() {
        set("REMOTE_ADDR", request_.remote_address());
        set("REMOTE_PORT", request_.remote_port() == 0 ? "" : std::to_string(request_.remote_port()));
        const cppcorn_request& raw = request_.raw();
        if (raw.server_port != 0) {
            set("SERVER_NAME", detail::view(raw.server_name));
            set("SERVER_PORT", std::to_string(raw.server_port));
            return;
        }
        // A unix socket has no address: take what the client called us. Neither may be empty.
        const std::string_view authority = request_.authority();
        const std::size_t colon = authority.find(':', authority.find(']') + 1);
        const std::string_view name = authority.substr(0, colon);
        set("SERVER_NAME", name.empty() ? detail::view(raw.server_name) : name);
        const bool has_port = colon != std::string_view::npos && colon + 1 < authority.size();
        const std::string_view standard_port = request_.scheme() == "https" ? "443" : "80";
        set("SERVER_PORT", has_port ? authority.substr(colon + 1) : standard_port);
    }

    void add_gateway() {
        set("SERVER_SOFTWARE", request_.host().server);
        set("wsgi.version", "1.0");
        set("wsgi.url_scheme", request_.scheme());
        set("wsgi.multithread", "false");
        set("wsgi.multiprocess", "true");
        set("wsgi.run_once", "false");
        set("wsgi.input_terminated", "true");
    }

    void add_field(std::string_view name, std::string_view value) {
        std::string variable = "HTTP_";
        for (const char c : name) variable += c == '-' ? '_' : detail::upper(c);
        if (variable == "HTTP_CONTENT_TYPE" || variable == "HTTP_CONTENT_LENGTH") variable.erase(0, 5);
        const auto [entry, is_new] = variables_.emplace(variable, value);
        if (is_new) return;
        entry->second += variable == "HTTP_COOKIE" ? "; " : ",";
        entry->second += value;
    }

    Request& request_;
    Variables variables_;
};

} // namespace kit
} // namespace cppcorn

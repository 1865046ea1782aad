// Serves the files of a directory: files:app("/srv/www")
#include <array>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <cppcorn/app.hpp>

using namespace cppcorn;
namespace fs = std::filesystem;

std::string_view content_type(const fs::path& path) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> types{{
        {".css", "text/css; charset=utf-8"},
        {".gif", "image/gif"},
        {".htm", "text/html; charset=utf-8"},
        {".html", "text/html; charset=utf-8"},
        {".ico", "image/x-icon"},
        {".jpeg", "image/jpeg"},
        {".jpg", "image/jpeg"},
        {".js", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".mp4", "video/mp4"},
        {".pdf", "application/pdf"},
        {".png", "image/png"},
        {".svg", "image/svg+xml"},
        {".txt", "text/plain; charset=utf-8"},
        {".wasm", "application/wasm"},
        {".woff2", "font/woff2"},
    }};
    const std::string ending = path.extension();
    for (const auto& [known, type] : types) {
        if (known == ending) return type;
    }
    return "application/octet-stream";
}

constexpr char http_date[] = "%a, %d %b %Y %H:%M:%S GMT";

std::string to_http_date(std::time_t time) {
    std::tm parts{};
    char text[40];
    ::gmtime_r(&time, &parts);
    return {text, std::strftime(text, sizeof text, http_date, &parts)};
}

std::optional<std::time_t> from_http_date(std::optional<std::string_view> text) {
    std::tm parts{};
    if (!text.has_value() || ::strptime(std::string(*text).c_str(), http_date, &parts) == nullptr) return std::nullopt;
    return ::timegm(&parts);
}

Response plain(int status, std::string text) {
    return {status, {{"Content-Type", "text/plain"}}, std::move(text)};
}

class Files {
  public:
    explicit Files(const std::string& directory) : root_(fs::canonical(directory)) {}

    Response operator()(Request& request) const {
        if (request.method() != "GET" && request.method() != "HEAD") return not_allowed();
        std::error_code error;
        std::optional<fs::path> path = find(request.path(), error);
        if (!path.has_value()) return failed(error);
        if (fs::is_directory(*path)) {
            if (!request.path().ends_with('/')) return to_directory(request);
            path = find(std::string(request.path()) + "index.html", error);
        } else if (request.path().ends_with('/')) {
            return plain(404, "Not found\n");
        }
        std::optional<File> file;
        if (path.has_value()) file = File::open(*path, error);
        if (!file.has_value()) return failed(error);
        return answer(request, *path, std::move(*file));
    }

  private:
    // The real path, with all links and dots resolved, if it is within the directory. (Somebody who can replace
    // directories by links between this check and the opening could still lead it out: serve no directory that
    // strangers write to.)
    std::optional<fs::path> find(std::string_view wanted, std::error_code& error) const {
        error = std::make_error_code(std::errc::no_such_file_or_directory);
        if (wanted.find('\0') != std::string_view::npos) return std::nullopt;
        const fs::path real = fs::canonical(root_ / fs::path(wanted).relative_path(), error);
        if (error) return std::nullopt;
        const fs::path within = real.lexically_relative(root_);
        if (within.empty() || *within.begin() == "..") {
            error = std::make_error_code(std::errc::no_such_file_or_directory);
            return std::nullopt;
        }
        return real;
    }

    static Response answer(const Request& request, const fs::path& path, File file) {
        const Headers headers{{"Last-Modified", to_http_date(file.last_modified())}};
        const auto known = from_http_date(request.header("If-Modified-Since"));
        if (known.has_value() && file.last_modified() <= *known) return {304, headers};
        Response response{200, headers, std::move(file)};
        response.headers.add("Content-Type", content_type(path));
        return response;
    }

    static Response failed(const std::error_code& error) {
        switch (error.value()) {
            case EACCES:
            case EPERM:
                return plain(403, "Forbidden\n");
            case EMFILE:
            case ENFILE:
            case ENOMEM:
                return plain(503, "Try again later\n");
            case EIO:
                return plain(500, "Cannot be read\n");
            default:
                return plain(404, "Not found\n");
        }
    }

    // The path as it was sent is encoded already. "//other.org" would lead to another server.
    static Response to_directory(const Request& request) {
        std::string_view target = request.target();
        target = target.substr(0, target.find('?'));
        if (!target.starts_with('/') || target.starts_with("//")) return plain(404, "Not found\n");
        std::string location = std::string(target) + '/';
        if (!request.query().empty()) location += '?' + std::string(request.query());
        Response response = plain(301, "Moved to " + location + "\n");
        response.headers.add("Location", location);
        return response;
    }

    static Response not_allowed() {
        Response response = plain(405, "Only GET and HEAD\n");
        response.headers.add("Allow", "GET, HEAD");
        return response;
    }

    fs::path root_;
};
CPPCORN_APP_CLASS(app, Files, std::string)

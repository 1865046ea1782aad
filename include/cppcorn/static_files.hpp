// Files as answers, as browsers, caches and download managers want them: with validators, conditions and ranges.
//
//     #include <cppcorn/app.hpp>
//     #include <cppcorn/static_files.hpp>
//
//     CPPCORN_APP_CLASS(app, cppcorn::StaticFiles, std::string)
//
// serves the files of a directory: cppcorn 'files:app("/srv/www")'. For one file that the app has chosen itself:
//
//     return cppcorn::serve_file(request, "/srv/report.pdf");
//
// What they answer, to GET and HEAD:
//
//     200, 206  the file, or the range of it that was asked for, with Content-Type, Last-Modified, ETag, Accept-Ranges
//     301       a directory without the slash behind its name (StaticFiles)
//     304, 412  by If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110, 13.2.2
//     403, 404  the file may not be read; there is none
//     405       any other method
//     416       the range is not in the file
//     503       no descriptor or memory is left for now; the log says so, at most once a second
//
// A disk that fails is an exception, std::system_error: a 500 and a line in the log. The response can be changed before
// it is returned: response.headers.add("Cache-Control", "max-age=3600").
//
// Ranges. Several ranges that make one piece are sent as that; for several pieces the whole file is sent. If-Range with
// a tag or a date that is not exactly the file's means the whole file.
//
// Validators. The entity tag is made of the time of the last change, in nanoseconds, and the size, so it is the same on
// each machine that has the file with its times. Replace a file by renaming another one into its place: one that is
// written to while it is sent reaches clients half old and half new.
//
// Everything here keeps no state but the directory's name: use it from any thread, before and after a fork.
#pragma once

#if __cplusplus <= 201703L
#error "cppcorn needs C++20: compile with -std=c++20 (CMake: cppcorn_add_app() does, or link to cppcorn::app)"
#else

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <cppcorn/detail/byte_ranges.hpp>
#include <cppcorn/detail/content_type.hpp>
#include <cppcorn/detail/file_error.hpp>
#include <cppcorn/detail/http_date.hpp>
#include <cppcorn/detail/open_beneath.hpp>
#include <cppcorn/detail/preconditions.hpp>
#include <cppcorn/file.hpp>
#include <cppcorn/request.hpp>
#include <cppcorn/response.hpp>

namespace cppcorn {
inline namespace kit {

// What is to be said of a file. What is empty is found out.
struct FileOptions {
    std::string content_type = {}; // by default from the ending of the path
    std::string etag = {};         // with its quotes: "\"v7\""
};

namespace [[gnu::visibility("hidden")]] detail {

inline bool asks_for_content(const Request& request) {
    return request.method() == "GET" || request.method() == "HEAD";
}

inline Response plain_answer(int status, std::string text, Headers headers = {}) {
    headers.add("Content-Type", "text/plain; charset=utf-8");
    return {status, std::move(headers), std::move(text)};
}

inline Response only_get_and_head() {
    return plain_answer(405, "Only GET and HEAD\n", {{"Allow", "GET, HEAD"}});
}

// True once a second, over all threads.
inline bool may_log_again(std::time_t now) {
    static std::atomic<std::time_t> last{0};
    return last.exchange(now, std::memory_order_relaxed) != now;
}

// The answer for a file that cannot be opened. Throws for what is a matter for the log.
inline Response file_failure(const Request& request, int error) {
    const int status = status_of_file_error(error);
    if (status == 404) return plain_answer(status, "Not found\n");
    if (status == 403) return plain_answer(status, "Forbidden\n");
    const std::error_code reason(error, std::generic_category());
    if (status != 503) throw std::system_error(reason, "cannot open the file");
    if (may_log_again(std::time(nullptr))) request.log(LogLevel::error, "cannot open the file: " + reason.message());
    return plain_answer(status, "Try again later\n", {{"Retry-After", "1"}});
}

inline std::string tag_of(const File& file) {
    const std::timespec changed = file.last_modified_time();
    std::string tag = "\"";
    const auto add = [&tag](std::uint64_t number, char after) {
        std::string digits;
        for (; number > 0 || digits.empty(); number /= 16)
            digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
        tag.append(digits) += after;
    };
    add(static_cast<std::uint64_t>(changed.tv_sec), '.');
    add(static_cast<std::uint64_t>(changed.tv_nsec), '-');
    if (file.offset() > 0) add(static_cast<std::uint64_t>(file.offset()), '-');
    add(static_cast<std::uint64_t>(file.size()), '"');
    return tag;
}

// As Last-Modified has it: never in the future (RFC 9110, 8.8.2.1); none from before 1970.
inline std::optional<std::time_t> modified_of(const File& file, std::time_t now) {
    const std::time_t modified = std::min(file.last_modified(), now);
    return modified >= 0 ? std::optional(modified) : std::nullopt;
}

// The file or a range of it, once the conditions hold.
inline Response content_of(File file, Headers headers, const RangeChoice& choice) {
    const std::string whole = std::to_string(file.size());
    if (choice.kind == RangeChoice::Kind::unsatisfiable) {
        return plain_answer(416, "The file does not have this range\n", {{"Content-Range", "bytes */" + whole}});
    }
    headers.add("Accept-Ranges", "bytes");
    if (choice.kind == RangeChoice::Kind::whole) return {200, std::move(headers), std::move(file)};
    const ByteRange range = choice.range;
    headers.add("Content-Range",
                "bytes " + std::to_string(range.first) + '-' + std::to_string(range.last) + '/' + whole);
    file.narrow(range.first, range.size());
    return {206, std::move(headers), std::move(file)};
}

// A path, decoded, in the form that a Location has it: it starts with one slash, so that no browser takes its beginning
// for a host, and nothing in it needs to be guessed at.
inline std::string encoded_path(std::string_view path) {
    constexpr std::string_view kept = "-._~/!$&'()*+,;=:@";
    std::string encoded = "/";
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    for (const char c : path) {
        const char letter = lower(c);
        if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded.append({'%', "0123456789ABCDEF"[byte / 16], "0123456789ABCDEF"[byte % 16]});
        }
    }
    return encoded;
}

} // namespace detail

// Answers with a file that is open, or the part of one that it was opened for.
inline Response serve_file(const Request& request, File file, const FileOptions& options = {}) {
    using namespace detail;
    if (!asks_for_content(request)) return only_get_and_head();
    const std::time_t now = std::time(nullptr);
    const std::string tag = options.etag.empty() ? tag_of(file) : options.etag;
    const Validators validators{tag, modified_of(file, now)};
    const Conditions asked = Conditions::read(request.fields());

    Headers headers{{"ETag", tag}};
    if (validators.modified.has_value()) headers.add("Last-Modified", write_http_date(*validators.modified));
    const Precondition precondition = check_preconditions(asked, validators, now);
    if (precondition == Precondition::not_modified) return {304, std::move(headers)};
    if (precondition == Precondition::failed) return plain_answer(412, "The file is another one\n", std::move(headers));

    RangeChoice choice;
    const bool is_range_wanted = asked.range.has_value() && request.method() == "GET";
    if (is_range_wanted && is_same_representation(asked.if_range, validators, now)) {
        choice = choose_range(*asked.range, file.size());
    }
    headers.add("Content-Type", options.content_type.empty() ? "application/octet-stream" : options.content_type);
    return content_of(std::move(file), std::move(headers), choice);
}

// Answers with the file that this path names. The path is the app's choice: links are followed wherever they lead. For
// paths that come from a client there is StaticFiles.
inline Response serve_file(const Request& request, const std::string& path, FileOptions options = {}) {
    if (!detail::asks_for_content(request)) return detail::only_get_and_head();
    if (options.content_type.empty()) options.content_type = detail::content_type_of(path);
    std::error_code error;
    std::optional<File> file = File::open(path, error);
    if (!file.has_value()) return detail::file_failure(request, error.value());
    return serve_file(request, std::move(*file), options);
}

// An app that serves the files of a directory, and of those below it. No path and no link leads out of it: what does is
// a 404, also if somebody changes links meanwhile. Links that stay within are followed. Directories are not listed: one
// has its index file, or is a 404. Devices, pipes and sockets are 404s.
class StaticFiles {
  public:
    // Throws std::system_error if there is no such directory. Links in `directory` are resolved here, once: where
    // "current" points to another release, the next reload takes it up.
    explicit StaticFiles(const std::string& directory, std::string index = "index.html")
        : root_(real_directory(directory)), index_(std::move(index)) {}

    Response operator()(const Request& request) const { return serve(request, request.path()); }

    // The same for a path that is only a part of the request's, without its first "/static", say.
    Response serve(const Request& request, std::string_view path) const {
        if (!detail::asks_for_content(request)) return detail::only_get_and_head();
        const bool names_directory = (path.empty() ? request.path() : path).ends_with('/');
        path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
        std::string name(path.empty() ? std::string_view(".") : path);
        std::error_code error;
        std::optional<File> file = open(name, error);
        if (error.value() == EISDIR) {
            if (!names_directory) return to_directory(request);
            name.append("/").append(index_);
            file = open(name, error);
        } else if (names_directory) {
            error.assign(error ? error.value() : ENOTDIR, std::generic_category());
            file.reset();
        }
        if (!file.has_value()) return detail::file_failure(request, error.value());
        return serve_file(request, std::move(*file), {std::string(detail::content_type_of(name))});
    }

  private:
    static std::string real_directory(const std::string& directory) {
        const std::unique_ptr<char, void (*)(void*)> real(::realpath((directory + "/.").c_str(), nullptr), std::free);
        if (real != nullptr) return real.get();
        throw std::system_error(errno, std::generic_category(), "cannot serve the directory " + directory);
    }

    std::optional<File> open(const std::string& name, std::error_code& error) const {
        // A zero byte would cut the name short.
        const bool is_name = name.find('\0') == std::string::npos;
        detail::Descriptor found = is_name ? detail::open_beneath(root_, name) : detail::Descriptor();
        if (found.get() >= 0) return File::adopt(found.release(), error);
        error.assign(is_name ? errno : ENOENT, std::generic_category());
        return std::nullopt;
    }

    static Response to_directory(const Request& request) {
        const std::string path = std::string(request.script_name()).append(request.path());
        std::string location = detail::encoded_path(path);
        if (!location.ends_with('/')) location += '/';
        if (!request.query().empty()) location.append("?").append(request.query());
        return detail::plain_answer(301, "Moved to " + location + "\n", {{"Location", location}});
    }

    std::string root_;
    std::string index_;
};

} // namespace kit
} // namespace cppcorn

#endif

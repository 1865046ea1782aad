#include "server/control/status_text.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

using nlohmann::json;

std::string age_text(double seconds) {
    if (seconds < 120) return fmt::format("{:.1f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.0f} h", seconds / 3600);
}

std::string memory_text(const json& usage) {
    if (!usage.is_object()) return "?";
    return fmt::format("{:.1f} MB", usage.at("resident_bytes").get<double>() / 1e6);
}

std::string request_text(const json& request) {
    if (!request.is_object()) return "";
    return fmt::format("{} from {}, for {}", escaped(request.at("line").get<std::string>()),
                       escaped(request.at("client").get<std::string>()), age_text(request.at("age").get<double>()));
}

std::string line_of(const json& worker) {
    std::string line = fmt::format("{:>4} {:>8}  {:<9} {:>8} {:>10} {:>6} {:>10}  {}", worker.at("slot").get<int>(),
                                   worker.at("pid").get<int>(), worker.at("state").get<std::string>(),
                                   age_text(worker.at("age").get<double>()), worker.at("requests").get<std::uint64_t>(),
                                   worker.at("connections").get<std::uint64_t>(), memory_text(worker.at("usage")),
                                   request_text(worker.at("request")));
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

} // namespace

std::string status_text(const std::string& text) {
    try {
        const json all = json::parse(text);
        const json& service = all.at("service");
        std::string lines =
            fmt::format("{}: {}; ready: {} ({})\n", escaped(service.at("name").get<std::string>()),
                        service.at("state").get<std::string>(), service.at("ready").get<bool>() ? "yes" : "no",
                        service.at("ready_reason").get<std::string>());
        lines += fmt::format("{:>4} {:>8}  {:<9} {:>8} {:>10} {:>6} {:>10}  {}\n", "slot", "pid", "state", "age",
                             "requests", "conns", "memory", "request");
        for (const auto& worker : all.at("workers")) lines += line_of(worker);
        return lines;
    } catch (const json::exception&) {
        throw std::runtime_error("the status cannot be read: the server is of another version");
    }
}

} // namespace cppcorn

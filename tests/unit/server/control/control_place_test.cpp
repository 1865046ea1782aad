#include "server/control/control_place.hpp"

#include "server/settings/settings_loader.hpp"
#include "tests/catch.hpp"

namespace cppcorn {
namespace {

TEST_CASE("client line: what leads to the socket is taken out, wherever it stands") {
    const ClientLine line = parse_client_line({"--config=a.toml", "scale", "--control-socket", "x.sock", "4"});
    CHECK(line.control_socket == "x.sock");
    CHECK(line.settings == std::vector<std::string>{"--config", "a.toml"});
    CHECK(line.words == std::vector<std::string>{"scale", "4"});
    CHECK(find_control_socket(line) == "x.sock");
    CHECK(parse_client_line({"-c", "b", "--chdir", "/srv", "reload", "--wait-old"}).words ==
          std::vector<std::string>{"reload", "--wait-old"});
    CHECK_THROWS_AS(parse_client_line({"status", "--control-socket"}), UsageError);
    CHECK(parse_client_line({}).words.empty());
}

} // namespace
} // namespace cppcorn

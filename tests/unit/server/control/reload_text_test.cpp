#include "server/control/reload_text.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

ServiceFacts facts(const std::string& build, const std::string& workers) {
    ServiceFacts facts;
    facts.app = "myapp:app";
    facts.build = build;
    facts.settings = {{"workers", workers, "default"}, {"name", "", "default"}};
    return facts;
}

TEST_CASE("reload text: what has changed, and what not") {
    CHECK(reload_text(facts("1a", "2"), facts("1a", "2")) == "app: myapp:app, the same build (1a)\nsettings: the same");
    CHECK(reload_text(facts("1a", "2"), facts("2b", "4")) ==
          "app: myapp:app, build 2b; it was 1a\nworkers: 4; it was 2");
    ServiceFacts other = facts("", "2");
    other.app = "other:app";
    other.settings.back().value = "shop";
    CHECK(reload_text(facts("1a", "2"), other) ==
          "app: other:app, build none; it was myapp:app\nname: shop; it was none");
}

} // namespace
} // namespace cppcorn

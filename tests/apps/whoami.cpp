// Tells who runs it: what --user, --group, --initgroups and --umask are tested with.
#include <string>
#include <vector>

#include <cppcorn/app.hpp>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

std::string groups() {
    std::vector<gid_t> list(64);
    list.resize(static_cast<std::size_t>(::getgroups(64, list.data())));
    std::string text;
    for (const gid_t group : list) text += (text.empty() ? "" : ",") + std::to_string(group);
    return text;
}

std::string ids() {
    uid_t user[3];
    gid_t group[3];
    ::getresuid(&user[0], &user[1], &user[2]);
    ::getresgid(&group[0], &group[1], &group[2]);
    std::string text;
    for (const uid_t id : user) text += std::to_string(id) + " ";
    for (const gid_t id : group) text += std::to_string(id) + " ";
    return text + groups();
}

std::string way_back() {
    const gid_t root = 0;
    const bool found = ::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0 || ::setgroups(1, &root) == 0;
    return found ? "found" : "none";
}

std::string mask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return std::to_string(mask);
}

const uid_t loaded_as = ::getuid();

} // namespace

Response app(Request& request) {
    std::string answer;
    if (request.path() == "/ids") answer = ids();
    if (request.path() == "/way-back") answer = way_back();
    if (request.path() == "/umask") answer = mask();
    if (request.path() == "/loaded-as") answer = std::to_string(loaded_as);
    return {200, {{"Content-Type", "text/plain"}}, answer + "\n"};
}
CPPCORN_APP(app)

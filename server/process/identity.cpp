#include "server/process/identity.hpp"

#include <charconv>
#include <stdexcept>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

std::optional<id_t> parse_id(const std::string& text) {
    id_t id = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), id);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size() || id == static_cast<id_t>(-1)) return {};
    return id;
}

const passwd* find_account(const std::string& text) {
    if (const passwd* account = ::getpwnam(text.c_str())) return account;
    const auto id = parse_id(text);
    return id ? ::getpwuid(*id) : nullptr;
}

gid_t own_group(const std::string& user) {
    if (const passwd* account = find_account(user)) return account->pw_gid;
    throw std::runtime_error("user " + user + " has no group of its own on this machine; give one with --group");
}

bool is_present(const Identity& identity) {
    return identity.uid == ::geteuid() && identity.gid == ::getegid() && identity.groups_of.empty();
}

} // namespace

std::optional<uid_t> find_user(const std::string& text) {
    if (const passwd* account = ::getpwnam(text.c_str())) return account->pw_uid;
    return parse_id(text);
}

std::optional<gid_t> find_group(const std::string& text) {
    if (const ::group* entry = ::getgrnam(text.c_str())) return entry->gr_gid;
    return parse_id(text);
}

std::optional<Identity> wanted_identity(const Settings& settings) {
    if (settings.user.empty() && settings.group.empty()) return {};
    Identity identity;
    identity.uid = settings.user.empty() ? ::geteuid() : find_user(settings.user).value();
    identity.gid = settings.group.empty() ? own_group(settings.user) : find_group(settings.group).value();
    const passwd* account = ::getpwuid(identity.uid);
    if (settings.initgroups && account != nullptr) identity.groups_of = account->pw_name;
    if (::geteuid() == 0) return identity;
    if (is_present(identity)) return {};
    throw std::runtime_error("cannot run the workers as another user or group (--user, --group): only root can");
}

void assume_identity(const Identity& identity, Access access) {
    if (identity.groups_of.empty()) {
        check(::setgroups(1, &identity.gid), "cannot leave the groups of root");
    } else {
        check(::initgroups(identity.groups_of.c_str(), identity.gid), "cannot enter the groups of --initgroups");
    }
    check(::setresgid(identity.gid, identity.gid, identity.gid), "cannot change to the group of --group");
    check(::setresuid(identity.uid, identity.uid, identity.uid), "cannot change to the user of --user");
    // Without it, a process that was root leaves no core dump, and /proc keeps its files from others of its user.
    check(::prctl(PR_SET_DUMPABLE, access == Access::open ? 1 : 0), "cannot allow core dumps");
}

} // namespace cppcorn

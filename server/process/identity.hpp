// Who the workers run as: --user, --group and --initgroups. The master stays who it was, so that it can bind, reopen
// and fork again.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "server/settings/settings.hpp"

namespace cppcorn {

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string groups_of; // the user whose further groups are taken; empty: none are
};

// By name or number. A number stands for itself; a name that is not known for nothing.
std::optional<uid_t> find_user(const std::string& text);
std::optional<gid_t> find_group(const std::string& text);

// What the settings ask for; nullopt: stay. Throws std::runtime_error if this process may not become that, or a user
// that is only a number comes without a group.
std::optional<Identity> wanted_identity(const Settings& settings);

enum class Access {
    open,   // as to any process of that user
    closed, // others of that user can neither trace it nor take its descriptors; it leaves no core dump
};

// For a child, for good: there is no way back. Clears what the kernel would tell it of its parent's death. Throws
// std::system_error.
void assume_identity(const Identity& identity, Access access = Access::open);

} // namespace cppcorn

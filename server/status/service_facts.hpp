// What does not change while a status process lives: what its release is and how it was set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "server/status/readiness.hpp"

namespace cppcorn {

struct ServiceFacts {
    struct Setting {
        std::string key;    // "max_requests"
        std::string value;  // as in a configuration file; of `env`, without the variables' values
        std::string origin; // "default", "command line"
    };

    std::string name;    // as the processes are titled
    std::string app;     // the app spec
    std::string build;   // the id of the build that runs
    std::string version; // of the server
    std::string abi;     // "1.1"
    pid_t master = 0;
    ReadyLimits limits;
    std::vector<Setting> settings;
};

struct Release;

// Of the service whose master this is, with that release.
ServiceFacts facts_of(const Release& release);

} // namespace cppcorn

// Which libraries belong to an app: its own, and its neighbours, found as the system's loader would find them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workers/app/private_copy.hpp"

namespace cppcorn {

struct AppLibrary {
    struct Need {
        std::string name;    // under which it is looked for
        std::size_t library; // its place in the list
    };

    std::string path;   // absolute, without links
    std::string soname; // empty: it has none
    std::vector<Need> needs;
    FileStamp stamp; // as it was read
};

struct AppLibraries {
    std::vector<AppLibrary> list; // each after those that it needs; the app's own is the last
    bool use_their_place = false; // through $ORIGIN, or by asking where they are
    std::string build_id;         // of the app's own; empty: it has none
};

// A neighbour is a library that another of them needs (DT_NEEDED) and that lies in the app's directory, in one beside
// it, or below these, links resolved. All others are the system's. `path` is the app's library. Throws AppLoadError if
// that cannot be read.
AppLibraries find_libraries(const std::string& path);

} // namespace cppcorn

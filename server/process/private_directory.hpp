// A directory of our own for files that programs are loaded from.
#pragma once

#include <string>

namespace cppcorn {

// Nobody else can write to it, and its file system lets code be loaded; made if need be. `for_another_user`: others can
// load from it, though not list it. In $XDG_RUNTIME_DIR, /run or $TMPDIR. Empty if there can be none.
std::string private_directory(bool for_another_user);

} // namespace cppcorn

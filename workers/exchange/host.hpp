// The table of functions that the server hands to an app (include/cppcorn/abi.h says what each promises). C functions
// that find the exchange of the request they are given and pass the call on; no exception leaves them.
#pragma once

#include <cppcorn/abi.h>

namespace cppcorn {

const cppcorn_host& host_table();

// From now on apps get this table by extension("cppcorn.bridge/1"); null for none. It outlives them. Before an app is
// loaded.
void offer_bridge(const cppcorn_bridge* table_of_bridge);

} // namespace cppcorn

#include "workers/context/lookout_link.hpp"

namespace cppcorn {

// Of many workers that find it asleep at once, one rings.
void LookoutLink::wake() const {
    if (sleeping_->exchange(false)) bell_->ring();
}

} // namespace cppcorn

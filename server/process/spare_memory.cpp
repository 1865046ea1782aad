#include "server/process/spare_memory.hpp"

#include <cstddef>
#include <cstdlib>

#include <malloc.h>
#include <unistd.h>

namespace cppcorn {
namespace {

#ifdef __GLIBC__
// From the largest to the smallest, until malloc() has to take from the heap's end.
void take_gaps() {
    constexpr std::size_t largest = 100'000; // but not so large that it gets a mapping of its own
    constexpr std::size_t smallest = 16;
    constexpr std::size_t step = 16;
    const struct mallinfo2 heap = ::mallinfo2();
    const auto* const end = static_cast<const char*>(::sbrk(0)) - heap.keepcost;
    std::size_t left = heap.arena; // nothing where malloc() is another library's
    for (std::size_t size = largest; size >= smallest; size -= step) {
        for (bool is_gap = true; is_gap;) {
            char* volatile const place = static_cast<char*>(std::malloc(size));
            is_gap = place < end;
            if (!is_gap) std::free(place);
            if (is_gap && left < size) return;
            if (is_gap) left -= size;
        }
    }
}
#endif

} // namespace

void close_gaps_of_heap() {
#ifdef __GLIBC__
    ::malloc_trim(0);
    take_gaps();
#endif
}

} // namespace cppcorn

// The memory that a process does not need when it has loaded all it will run, and others are forked from it.
#pragma once

namespace cppcorn {

// Where malloc() is glibc's: what is free at the heap's end or fills pages is the kernel's again, and what is free
// between what is used is taken, for good. Forked processes take from the heap's end, in pages that they share with
// nobody, instead of writing to a shared page for each gap. Other threads may go on meanwhile.
void close_gaps_of_heap();

} // namespace cppcorn

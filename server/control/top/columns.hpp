// The columns of the table of workers: what each shows, what sorts by it, and which of them a narrow terminal has.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "server/control/top/snapshot.hpp"

namespace cppcorn::top {

struct Column {
    const char* title;
    std::size_t width; // of the one that has what is left: at least that
    enum class Align { left, right, rest } align;
    int rank;         // a terminal that is too narrow for all leaves out the highest first; never those with 0
    char key;         // sorts by it; 0: none does
    const char* what; // for people: "sort by …"
    std::string (*text)(const Worker&);
    double (*weight)(const Worker&); // the heaviest comes first
};

// From left to right.
const std::vector<Column>& columns();

// The one that `key` sorts by; nullptr if none does.
const Column* column_sorted_by(int key);

struct Fitted {
    const Column* column;
    std::size_t width;
};

// Which of them a terminal shows that is so wide, with a blank between each two.
std::vector<Fitted> fit_columns(std::size_t width);

// By weight, heaviest first, and by slot where that is equal; if reversed, the other way round.
void sort_workers(std::vector<Worker>& workers, const Column& by, bool is_reversed);

} // namespace cppcorn::top

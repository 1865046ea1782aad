#include "server/control/top/columns.hpp"

#include <algorithm>

#include "server/control/top/quantities.hpp"

namespace cppcorn::top {
namespace {

using Align = Column::Align;

// What is not known comes after all that is.
double weight_of(const std::optional<double>& value) {
    return value.value_or(-1);
}

std::string request_text(const Worker& worker) {
    if (!worker.is_busy) return "idle";
    return worker.request.empty() ? "busy" : worker.request;
}

std::string busy_text(const Worker& worker) {
    return worker.is_busy ? time_text(worker.request_age) : "";
}

std::string end_text(const Worker& worker) {
    return worker.ends == 0 ? "" : worker.last_end;
}

template <auto Member>
double count(const Worker& worker) {
    return static_cast<double>(worker.*Member);
}

template <auto Member>
std::string count_of(const Worker& worker) {
    return count_text(worker.*Member);
}

using W = const Worker&;

const std::vector<Column> table{
    {"SLOT", 5, Align::right, 0, 'S', "slot", [](W w) { return std::to_string(w.slot); },
     [](W w) { return static_cast<double>(-w.slot); }},
    {"PID", 7, Align::right, 5, 0, "", [](W w) { return std::to_string(w.pid); }, nullptr},
    {"STATE", 8, Align::left, 1, 0, "", [](W w) { return w.state; }, nullptr},
    {"BUSY", 6, Align::right, 0, 'B', "how long it has been busy with its request", busy_text,
     [](W w) { return w.is_busy ? w.request_age.value_or(0) : -1; }},
    {"REQUEST", 24, Align::rest, 0, 0, "", request_text, nullptr},
    {"CLIENT", 15, Align::left, 11, 0, "", [](W w) { return w.client; }, nullptr},
    {"REQS", 6, Align::right, 2, 'N', "number of requests", count_of<&Worker::answers>, count<&Worker::answers>},
    {"REQ/S", 6, Align::right, 8, 'R', "requests per second", [](W w) { return rate_text(w.answers_per_second); },
     [](W w) { return weight_of(w.answers_per_second); }},
    {"ERRS", 6, Align::right, 4, 'E', "errors", count_of<&Worker::errors>, count<&Worker::errors>},
    {"P50", 6, Align::right, 13, 0, "", [](W w) { return time_text(w.p50); }, nullptr},
    {"P95", 6, Align::right, 3, 'P', "95th percentile of durations", [](W w) { return time_text(w.p95); },
     [](W w) { return weight_of(w.p95); }},
    {"CONNS", 6, Align::right, 12, 'O', "connections", count_of<&Worker::connections>, count<&Worker::connections>},
    {"MEM", 6, Align::right, 6, 'M', "memory", [](W w) { return bytes_text(w.resident_bytes); },
     [](W w) { return w.resident_bytes ? static_cast<double>(*w.resident_bytes) : -1; }},
    {"%CPU", 5, Align::right, 7, 'C', "CPU", [](W w) { return percent_text(w.cpu); },
     [](W w) { return weight_of(w.cpu); }},
    {"UP", 6, Align::right, 9, 'U', "how long it has been up", [](W w) { return time_text(w.age); },
     [](W w) { return w.age; }},
    {"ENDS", 5, Align::right, 10, 'D', "ends of workers in the slot", count_of<&Worker::ends>, count<&Worker::ends>},
    {"LAST END", 13, Align::left, 14, 0, "", end_text, nullptr},
};

std::size_t width_of(const std::vector<Fitted>& shown) {
    std::size_t width = shown.empty() ? 0 : shown.size() - 1;
    for (const auto& each : shown) width += each.width;
    return width;
}

} // namespace

const std::vector<Column>& columns() {
    return table;
}

const Column* column_sorted_by(int key) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [key](const Column& column) { return column.key != 0 && column.key == key; });
    return found == table.end() ? nullptr : &*found;
}

std::vector<Fitted> fit_columns(std::size_t width) {
    std::vector<Fitted> shown;
    for (const auto& column : table) shown.push_back({&column, column.width});
    while (width_of(shown) > width) {
        const auto last = std::max_element(shown.begin(), shown.end(), [](const Fitted& one, const Fitted& other) {
            return one.column->rank < other.column->rank;
        });
        if (last->column->rank == 0) return shown;
        shown.erase(last);
    }
    const std::size_t left = width - width_of(shown);
    for (auto& each : shown) {
        if (each.column->align == Align::rest) each.width += left;
    }
    return shown;
}

void sort_workers(std::vector<Worker>& workers, const Column& by, bool is_reversed) {
    std::sort(workers.begin(), workers.end(), [](W one, W other) { return one.slot < other.slot; });
    std::stable_sort(workers.begin(), workers.end(), [&](W one, W other) { return by.weight(one) > by.weight(other); });
    if (is_reversed) std::reverse(workers.begin(), workers.end());
}

} // namespace cppcorn::top

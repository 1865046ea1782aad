#include "server/supervision/end_book.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "server/supervision/record_change.hpp"

namespace cppcorn {
namespace {

template <std::size_t size>
void put(char (&room)[size], std::string_view text) {
    const std::size_t length = std::min(text.size(), size - 1);
    std::memcpy(room, text.data(), length);
    room[length] = '\0';
}

template <std::size_t size>
std::string text_of(const char (&room)[size]) {
    return {room, ::strnlen(room, size)};
}

} // namespace

EndBook::Record& EndBook::next_place(EndCause cause) {
    if (cause == EndCause::retired) return records_[most_others + retired_count_++ % most_retired];
    return records_[other_count_++ % most_others];
}

void EndBook::add(const WorkerEnd& end) {
    Record& record = next_place(end.cause);
    const RecordChange change(record.version);
    record.number = retired_count_ + other_count_;
    record.time = end.time;
    record.pid = end.pid;
    record.slot = end.slot;
    record.request_age = end.request_age;
    record.cause = end.cause;
    put(record.how, end.how);
    put(record.request, end.request);
    put(record.client, end.client);
    put(record.request_id, end.request_id);
    put(record.report, end.report);
}

void EndBook::add_report(pid_t pid, std::string_view report) {
    Record* last = nullptr;
    for (Record& record : records_) {
        if (record.pid == pid && (last == nullptr || record.number > last->number)) last = &record;
    }
    if (last == nullptr) return;
    const RecordChange change(last->version);
    put(last->report, report);
}

bool EndBook::read(const Record& record, WorkerEnd& end, std::uint64_t& number) {
    return read_record(record.version, [&] {
        number = record.number;
        end.time = static_cast<std::time_t>(record.time);
        end.pid = record.pid;
        end.slot = record.slot;
        end.request_age = record.request_age;
        const auto cause = static_cast<std::size_t>(record.cause);
        end.cause = cause < end_cause_count ? record.cause : EndCause::retired; // a worker may have run wild in it
        end.how = text_of(record.how);
        end.request = text_of(record.request);
        end.client = text_of(record.client);
        end.request_id = text_of(record.request_id);
        end.report = text_of(record.report);
    });
}

std::vector<WorkerEnd> EndBook::all() const {
    std::map<std::uint64_t, WorkerEnd, std::greater<>> by_number;
    for (const Record& record : records_) {
        WorkerEnd end;
        std::uint64_t number = 0;
        if (read(record, end, number)) by_number[number] = std::move(end);
    }
    std::vector<WorkerEnd> ends;
    for (auto& [number, end] : by_number) ends.push_back(std::move(end));
    return ends;
}

} // namespace cppcorn

#include "server/control/top/session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "server/control/top/quantities.hpp"

namespace cppcorn::top {
namespace {

constexpr std::size_t page = 10; // rows, lines

// Where up, down and so on lead from `at`, of `count`, of which there is at least one.
std::size_t moved(std::size_t at, std::size_t count, Command command) {
    const std::size_t last = count - 1;
    switch (command) {
        case Command::up:
            return at - std::min<std::size_t>(at, 1);
        case Command::down:
            return std::min(at + 1, last);
        case Command::page_up:
            return at - std::min(at, page);
        case Command::page_down:
            return std::min(at + page, last);
        case Command::first:
            return 0;
        case Command::last:
            return last;
        default:
            return std::min(at, last);
    }
}

// With tabs as blanks, and the ellipsis that is the server's own as ASCII has it.
std::string line_of(std::string_view text) {
    constexpr std::string_view ellipsis = "…";
    std::string line;
    while (!text.empty()) {
        const bool is_ellipsis = text.substr(0, ellipsis.size()) == ellipsis;
        line += is_ellipsis ? "..." : text.front() == '\t' ? "    " : std::string(1, text.front());
        text.remove_prefix(is_ellipsis ? ellipsis.size() : 1);
    }
    return printable(line);
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(line_of(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string first_line_of(std::string_view text) {
    return line_of(text.substr(0, text.find('\n')));
}

std::vector<std::string> help_lines() {
    std::vector<std::string> lines;
    for (const auto& row : keys()) {
        if (row.name != nullptr) lines.push_back(fmt::format("{:>10}  {}", row.name, row.what));
    }
    lines.emplace_back();
    lines.emplace_back("Capital letters sort, by");
    for (const auto& column : columns()) {
        if (column.key != 0) lines.push_back(fmt::format("{:>10}  {}: {}", column.key, column.title, column.what));
    }
    lines.emplace_back();
    lines.emplace_back("Requests, errors (500 and above) and ends are those of the slot since the start;");
    lines.emplace_back("P50 and P95, of the last one to two minutes. A wider terminal shows more columns.");
    return lines;
}

} // namespace

// ---- News

void Session::take(Snapshot snapshot) {
    if (snapshot_) add_rates(snapshot, *snapshot_);
    snapshot_ = std::move(snapshot);
    wanted_ = static_cast<std::int64_t>(snapshot_->wanted);
    lost_why_.clear();
    sort();
}

void Session::lost(std::string_view why, SteadyTime now) {
    if (lost_why_.empty()) lost_since_ = now;
    lost_why_ = first_line_of(why);
}

void Session::began(const Order& order) {
    message_ = {Tone::plain, text_of(order) + " ..."};
}

void Session::done(const Order& order, std::string_view text) {
    if (order.kind == OrderKind::stack && !text.empty()) {
        show(View::stack, text_of(order), lines_of(text));
        message_ = {};
        return;
    }
    message_ = {Tone::good, text.empty() ? text_of(order) + ": done" : first_line_of(text)};
}

void Session::failed(const Order& order, std::string_view why) {
    message_ = {Tone::bad, text_of(order) + ": " + (why.empty() ? "failed" : first_line_of(why))};
}

// ---- Keys

std::optional<Order> Session::press(int key) {
    if (key == key_none || key == key_resize) return std::nullopt;
    message_ = {};
    if (!question_.empty()) return answer(key);
    if (view_ != View::table) {
        const Command command = command_of(key);
        const bool closes = key == key_escape || key == key_enter || command == Command::quit ||
                            command == Command::help || (view_ == View::stack && command == Command::stack);
        if (closes) {
            view_ = View::table;
        } else {
            scroll(command);
        }
        return std::nullopt;
    }
    if (const Column* column = column_sorted_by(key)) {
        sorted_by_ = column;
        is_reversed_ = false;
        sort_anew();
        return std::nullopt;
    }
    return act(command_of(key));
}

std::optional<Order> Session::answer(int key) {
    question_.clear();
    if (key == 'y' || key == 'Y') return asked_;
    message_ = {Tone::plain, text_of(asked_) + ": not done"};
    return std::nullopt;
}

std::optional<Order> Session::act(Command command) {
    switch (command) {
        case Command::none:
            return std::nullopt;
        case Command::quit:
            has_quit_ = true;
            return std::nullopt;
        case Command::help:
            show(View::help, "keys", help_lines());
            return std::nullopt;
        case Command::reverse:
            is_reversed_ = !is_reversed_;
            sort_anew();
            return std::nullopt;
        case Command::up:
        case Command::down:
        case Command::page_up:
        case Command::page_down:
        case Command::first:
        case Command::last:
            choose(command);
            return std::nullopt;
        default:
            return order(command);
    }
}

std::optional<Order> Session::order(Command command) {
    if (!may_order_) {
        message_ = {Tone::bad, "a status address takes no orders; --control-socket does"};
        return std::nullopt;
    }
    switch (command) {
        case Command::reload:
            return Order{OrderKind::reload};
        case Command::reopen:
            return Order{OrderKind::reopen};
        case Command::more_workers:
            return scale(1);
        case Command::fewer_workers:
            return scale(-1);
        case Command::recycle:
            return about_slot(OrderKind::recycle);
        case Command::stack:
            return about_slot(OrderKind::stack);
        case Command::drain:
            return ask_first(OrderKind::drain, "Drain: say at /ready that no requests are wanted?");
        case Command::stop:
            return ask_first(OrderKind::stop, "Stop the service?");
        default:
            return std::nullopt;
    }
}

std::optional<Order> Session::about_slot(OrderKind kind) {
    if (chosen_slot_) return Order{kind, *chosen_slot_};
    message_ = {Tone::bad, "there is no worker"};
    return std::nullopt;
}

std::optional<Order> Session::scale(int change) {
    const OrderRow& row = row_of(OrderKind::scale);
    wanted_ = std::clamp(wanted_ + change, row.least, row.most);
    return Order{OrderKind::scale, wanted_};
}

std::optional<Order> Session::ask_first(OrderKind kind, std::string question) {
    asked_ = {kind};
    question_ = std::move(question);
    return std::nullopt;
}

// ---- Rows and lines

std::size_t Session::chosen_row() const {
    if (!snapshot_) return 0;
    const auto& workers = snapshot_->workers;
    const auto found = std::find_if(workers.begin(), workers.end(),
                                    [this](const Worker& worker) { return worker.slot == chosen_slot_; });
    return static_cast<std::size_t>(found - workers.begin());
}

void Session::choose(Command command) {
    if (!snapshot_ || snapshot_->workers.empty()) return;
    last_row_ = moved(chosen_row(), snapshot_->workers.size(), command);
    chosen_slot_ = snapshot_->workers[last_row_].slot;
}

void Session::scroll(Command command) {
    if (!lines_.empty()) first_line_ = moved(first_line_, lines_.size(), command);
}

void Session::sort() {
    if (!snapshot_) return;
    auto& workers = snapshot_->workers;
    sort_workers(workers, *sorted_by_, is_reversed_);
    if (workers.empty()) {
        chosen_slot_.reset();
    } else if (const std::size_t row = chosen_row(); row < workers.size()) {
        last_row_ = row;
    } else {
        last_row_ = std::min(last_row_, workers.size() - 1);
        chosen_slot_ = workers[last_row_].slot;
    }
}

// Whoever sorts wants the one that comes first.
void Session::sort_anew() {
    chosen_slot_.reset();
    last_row_ = 0;
    sort();
}

void Session::show(View view, std::string title, std::vector<std::string> lines) {
    view_ = view;
    title_ = std::move(title);
    lines_ = std::move(lines);
    first_line_ = 0;
}

} // namespace cppcorn::top

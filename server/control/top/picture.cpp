#include "server/control/top/picture.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "server/control/top/quantities.hpp"

namespace cppcorn::top {
namespace {

using Line = std::vector<Span>;

std::string state_text(const Session& session, SteadyTime now) {
    if (!session.lost_why().empty()) {
        const double seconds = std::chrono::duration<double>(now - session.lost_since()).count();
        return fmt::format("no answer for {}; trying again: {}", time_text(seconds), session.lost_why());
    }
    const Snapshot& snapshot = *session.snapshot();
    return snapshot.is_ready ? "ready" : snapshot.ready_reason;
}

Line title_line(const Session& session, SteadyTime now) {
    const bool is_good = session.lost_why().empty() && session.snapshot()->is_ready;
    return {{Style::strong, session.snapshot()->name},
            {Style::plain, "  "},
            {is_good ? Style::good : Style::bad, state_text(session, now)},
            {Style::soft,
             fmt::format("  cppcorn {}, master {}", session.snapshot()->server_version, session.snapshot()->master)}};
}

std::vector<Line> summary(const Snapshot& snapshot) {
    std::string waiting = "not known";
    if (snapshot.waiting) {
        waiting = std::to_string(*snapshot.waiting);
        if (snapshot.expected_wait && *snapshot.waiting > 0) waiting += ", for " + time_text(snapshot.expected_wait);
    }
    return {
        {{Style::plain,
          fmt::format("{} of {} workers serve, {} busy; oldest request {}", snapshot.serving, snapshot.wanted,
                      snapshot.busy, snapshot.oldest_request_age > 0 ? time_text(snapshot.oldest_request_age) : "-")}},
        {{Style::plain,
          fmt::format("requests/s {}, errors/s {}; waiting for a worker: {}; connections {}; ends {}, reloads {}",
                      rate_text(snapshot.answers_per_second), rate_text(snapshot.errors_per_second), waiting,
                      snapshot.connections, snapshot.ends, snapshot.reloads)}}};
}

// The cell, with the blank behind it unless it is the last.
std::string cell(std::string_view text, const Fitted& fitted, bool is_last) {
    std::string shown;
    if (fitted.column->align == Column::Align::right && text.size() < fitted.width) {
        shown.assign(fitted.width - text.size(), ' ');
        shown += text;
    } else {
        shown = cut(text, fitted.width);
    }
    return is_last ? shown : shown + " ";
}

Line heading(const Session& session, const std::vector<Fitted>& shown) {
    Line line;
    for (const auto& fitted : shown) {
        const bool sorts = fitted.column == &session.sorted_by();
        // The column that sorts stands out without a colour, too.
        const std::string title = sorts ? (session.is_reversed() ? "^" : "*") + std::string(fitted.column->title)
                                        : std::string(fitted.column->title);
        line.push_back({Style::heading, cell(title, fitted, &fitted == &shown.back())});
    }
    return line;
}

Style style_of(const Worker& worker, const Column& column) {
    const std::string_view title = column.title;
    if (title == "STATE" && worker.state == "overdue") return Style::bad;
    if (title == "ERRS" && worker.errors > 0) return Style::bad;
    if (title == "BUSY") return Style::busy;
    if (title == "REQUEST" && !worker.is_busy) return Style::soft;
    return Style::plain;
}

Line row(const Worker& worker, const std::vector<Fitted>& shown, bool is_chosen) {
    Line line;
    for (const auto& fitted : shown) {
        const Style style = is_chosen ? Style::chosen : style_of(worker, *fitted.column);
        line.push_back({style, cell(fitted.column->text(worker), fitted, &fitted == &shown.back())});
    }
    return line;
}

// Which of `count` rows is the first, so that the chosen one is among those that fit, in the middle if it can be.
std::size_t first_row(std::size_t chosen, std::size_t count, std::size_t fitting) {
    if (count <= fitting) return 0;
    return std::min(chosen - std::min(chosen, fitting / 2), count - fitting);
}

void add_table(Picture& lines, const Session& session, std::size_t rows, std::size_t width) {
    const auto shown = fit_columns(width);
    const auto& workers = session.snapshot()->workers;
    lines.push_back(heading(session, shown));
    const std::size_t fitting = rows > lines.size() ? rows - lines.size() : 0;
    const std::size_t first = first_row(session.chosen_row(), workers.size(), fitting);
    for (std::size_t i = first; i < std::min(workers.size(), first + fitting); ++i) {
        lines.push_back(row(workers[i], shown, i == session.chosen_row()));
    }
}

void add_text(Picture& lines, const Session& session, std::size_t rows) {
    lines.push_back({{Style::heading, " " + session.title() + " "}});
    const auto& text = session.lines();
    for (std::size_t i = session.first_line(); i < text.size() && lines.size() < rows; ++i) {
        lines.push_back({{Style::plain, text[i]}});
    }
}

Line message_line(const Session& session) {
    if (!session.question().empty()) return {{Style::strong, session.question() + " y: yes, else no"}};
    const auto& message = session.message();
    const Style style = message.tone == Session::Tone::good  ? Style::good
                        : message.tone == Session::Tone::bad ? Style::bad
                                                             : Style::plain;
    return {{style, message.text}};
}

Line hint_line(const Session& session) {
    if (session.view() != Session::View::table) return {{Style::soft, "q back  Up, Down more"}};
    return {{Style::soft, "q quit  h help  t stack  c recycle  r reload  +/- workers  d drain  s stop"}};
}

// What does not fit is left out, and said so by a `>`.
void fit(Line& line, std::size_t width) {
    std::size_t left = width;
    for (auto& span : line) {
        if (span.text.size() > left) span.text = cut(span.text, left);
        left -= span.text.size();
    }
}

} // namespace

Picture picture_of(const Session& session, Size size, SteadyTime now) {
    constexpr std::size_t below = 2; // the message, the hint
    const std::size_t rows = size.rows > below ? size.rows - below : 0;
    Picture lines;
    if (session.snapshot()) {
        lines.push_back(title_line(session, now));
        // Of a terminal with hardly any lines, the rows have them.
        if (rows > 6) {
            for (auto& line : summary(*session.snapshot())) lines.push_back(std::move(line));
            lines.emplace_back();
        }
        if (session.view() == Session::View::table) {
            add_table(lines, session, rows, size.columns);
        } else {
            add_text(lines, session, rows);
        }
    }
    lines.resize(rows);
    lines.push_back(message_line(session));
    lines.push_back(hint_line(session));
    lines.resize(size.rows);
    for (auto& line : lines) fit(line, size.columns);
    return lines;
}

} // namespace cppcorn::top

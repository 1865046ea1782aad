// What the person at the terminal sees and has chosen: the last snapshot, the order of the rows, the worker that keys
// are about, a question that is open, a text that is shown instead of the table. Keys and news go in; what is to be
// done about them comes out. Pure: it neither asks a server nor knows a screen.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/control/order.hpp"
#include "server/control/top/columns.hpp"
#include "server/control/top/keys.hpp"
#include "server/control/top/snapshot.hpp"

namespace cppcorn::top {

class Session {
  public:
    enum class View { table, help, stack };
    enum class Tone { plain, good, bad };
    struct Message {
        Tone tone = Tone::plain;
        std::string text; // one line
    };

    explicit Session(bool may_order) : may_order_(may_order) {}

    // ---- News
    void take(Snapshot snapshot);
    // The server could not be asked. Stays said until the next snapshot.
    void lost(std::string_view why, SteadyTime now);
    // What has become of an order; of a stack, it is shown.
    void began(const Order& order);
    void done(const Order& order, std::string_view text);
    void failed(const Order& order, std::string_view why);

    // ---- Keys
    // What is to be ordered now.
    std::optional<Order> press(int key);
    bool has_quit() const { return has_quit_; }

    // ---- What is to be shown. The snapshot's workers are in the order of the rows.
    const std::optional<Snapshot>& snapshot() const { return snapshot_; }
    const Column& sorted_by() const { return *sorted_by_; }
    bool is_reversed() const { return is_reversed_; }
    std::size_t chosen_row() const;
    View view() const { return view_; }
    // The text of `help` and `stack`, and which of its lines is the first.
    const std::vector<std::string>& lines() const { return lines_; }
    std::size_t first_line() const { return first_line_; }
    const std::string& title() const { return title_; }
    const std::string& question() const { return question_; } // empty: none is open
    const Message& message() const { return message_; }
    // Since when, and why, there is no news; empty: there is.
    const std::string& lost_why() const { return lost_why_; }
    SteadyTime lost_since() const { return lost_since_; }

  private:
    std::optional<Order> answer(int key);
    std::optional<Order> act(Command command);
    std::optional<Order> order(Command command);
    std::optional<Order> about_slot(OrderKind kind);
    std::optional<Order> scale(int change);
    std::optional<Order> ask_first(OrderKind kind, std::string question);
    void choose(Command command);
    void scroll(Command command);
    void sort();
    void sort_anew();
    void show(View view, std::string title, std::vector<std::string> lines);

    bool may_order_;
    bool has_quit_ = false;
    std::optional<Snapshot> snapshot_;
    const Column* sorted_by_ = &columns().front();
    bool is_reversed_ = false;
    std::optional<int> chosen_slot_;
    std::size_t last_row_ = 0; // where the chosen one was: should it go, the one that is there then is chosen
    std::int64_t wanted_ = 0;  // workers, with those that keys have asked for since the snapshot
    View view_ = View::table;
    std::string title_;
    std::vector<std::string> lines_;
    std::size_t first_line_ = 0;
    std::string question_;
    Order asked_; // what a yes orders
    Message message_;
    std::string lost_why_;
    SteadyTime lost_since_;
};

} // namespace cppcorn::top

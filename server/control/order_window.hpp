// Where the status process takes orders in, at the control socket: hands them on to the master, and tells what has become
// of them. It waits for nobody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/control/order_post.hpp"
#include "server/supervision/order_book.hpp"

namespace cppcorn {

// What the status process answers to a request.
struct StatusPage {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::string allow = "GET, HEAD"; // where the status is 405
};

class OrderWindow {
  public:
    // Both outlive it.
    OrderWindow(OrderBook& book, const OrderPost& post) : book_(book), post_(post) {}

    // nullopt: the request is none of its own, but one that asks how the service is. `caller` is who sent it, for the log.
    std::optional<StatusPage> answer(std::string_view caller, std::string_view method, std::string_view path,
                                     std::string_view query);

  private:
    StatusPage take(std::string_view caller, const Order& order);
    StatusPage outcome(std::string_view number) const;

    OrderBook& book_;
    const OrderPost& post_;
};

} // namespace cppcorn

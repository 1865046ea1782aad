// A client's connection to 127.0.0.1, which asks one request at a time.
#pragma once

#include <cstdint>
#include <string>

#include "bench/clients/answer_reader.hpp"

namespace bench {

// What an event on a connection meant.
enum class Outcome {
    nothing,     // not yet
    answered,    // answer() has it
    closed_idle, // the server has closed it while nothing was asked
    unanswered,  // it ended after a request, or part of one, had been sent, before any of the answer
    cut,         // it ended within the answer
    refused,     // nothing of the request could be sent
};

// Owns its descriptor. It is registered at the epoll, edge-triggered, with its number as the data.
class Connection {
  public:
    Connection(int epoll, std::uint16_t port, std::uint32_t number) : epoll_(epoll), port_(port), number_(number) {}
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sends a request, on a new connection if there is none.
    Outcome ask(std::string request);
    // After an event.
    Outcome proceed();
    const Answer& answer() const { return reader_.answer(); }
    bool is_open() const { return descriptor_ >= 0; }
    bool is_asking() const { return is_asking_; }
    // How many connections this has opened, and the error that ended the last one (0: the server closed it).
    std::uint64_t opened() const { return opened_; }
    // How often ask() found that the server had closed the connection, and so took a new one.
    std::uint64_t found_closed() const { return found_closed_; }
    int error() const { return error_; }
    void close();

  private:
    bool has_been_closed() const;
    bool open();
    Outcome send_rest();
    Outcome receive();
    Outcome end(int error);

    const int epoll_;
    const std::uint16_t port_;
    const std::uint32_t number_;
    int descriptor_ = -1;
    bool is_connected_ = false;
    bool is_asking_ = false;
    std::string request_;
    std::size_t sent_ = 0;
    std::uint64_t opened_ = 0;
    std::uint64_t found_closed_ = 0;
    int error_ = 0;
    AnswerReader reader_;
};

} // namespace bench

// What became of the requests of all connections: counts, and how long answers took.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/clients/connection.hpp"

namespace bench {

class Tally {
  public:
    // An answer other than 200 with the body that was expected ("": any) is wrong, unless it tells of an error (5xx).
    void answered(const Answer& answer, const std::string& expected, double milliseconds);
    // The others. Of the first hundred it writes to stderr what happened to which request.
    void ended(Outcome outcome, const std::string& request, int error);
    void gave_up(const std::string& request);
    // How many connections were opened in place of earlier ones.
    void reconnected(std::uint64_t count) { reconnects_ += count; }
    void found_closed(std::uint64_t count) { closed_idle_ += count; }
    void print_json() const;

  private:
    void tell(const char* what, const std::string& request, int error);

    std::map<int, std::uint64_t> statuses_;
    std::vector<float> milliseconds_;
    std::uint64_t wrong_ = 0;
    std::uint64_t announced_ = 0; // answers with Connection: close
    std::uint64_t unanswered_ = 0;
    std::uint64_t cut_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t closed_idle_ = 0;
    std::uint64_t reconnects_ = 0;
    int told_ = 0;
};

} // namespace bench

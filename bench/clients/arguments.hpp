// The command line of the clients in bench/clients: pairs of --name value. A name that was never asked for is a mistake.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bench {

class Arguments {
  public:
    Arguments(int count, char** words) {
        for (int i = 1; i < count; i += 2) {
            if (i + 1 == count) fail(words[i]);
            values_[words[i]] = words[i + 1];
        }
    }

    std::string text(const std::string& name, const std::string& fallback = "") {
        known_.insert(name);
        const auto found = values_.find(name);
        return found == values_.end() ? fallback : found->second;
    }
    double number(const std::string& name, double fallback) {
        const std::string value = text(name);
        return value.empty() ? fallback : std::strtod(value.c_str(), nullptr);
    }
    std::size_t count(const std::string& name, std::size_t fallback) {
        return static_cast<std::size_t>(number(name, static_cast<double>(fallback)));
    }
    std::vector<std::string> list(const std::string& name, const std::string& fallback) {
        std::vector<std::string> items{""};
        for (const char c : text(name, fallback)) {
            if (c == ',') {
                items.emplace_back();
            } else {
                items.back() += c;
            }
        }
        return items;
    }

    // Once all have been asked for.
    void check() const {
        for (const auto& [name, value] : values_) {
            if (known_.count(name) == 0) fail(name.c_str());
        }
    }

  private:
    [[noreturn]] static void fail(const char* word) {
        std::fprintf(stderr, "not understood: %s\n", word);
        std::exit(2);
    }

    std::map<std::string, std::string> values_;
    std::set<std::string> known_;
};

} // namespace bench

// Which requests the app answers quickly, by their request lines, as far as that is known of late: so that the answers
// before such a request may wait for its own and leave in one write. Small and of a fixed size; a request whose place
// another one has taken is not known any more.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cppcorn {

class QuickRequests {
  public:
    class Record {
      public:
        bool is_quick() const { return quick_in_a_row_ >= enough_in_a_row; }
        void note(bool was_quick) {
            if (!was_quick) {
                quick_in_a_row_ = 0;
            } else if (quick_in_a_row_ < enough_in_a_row) {
                ++quick_in_a_row_;
            }
        }

      private:
        friend QuickRequests;
        std::uint32_t tag_ = 0;
        std::uint32_t quick_in_a_row_ = 0;
    };

    // Valid until the next call.
    Record& of(std::string_view request_line) {
        const std::uint64_t hash = hash_of(request_line);
        Record& record = records_[hash % records_.size()];
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        if (record.tag_ != tag) {
            record.tag_ = tag;
            record.quick_in_a_row_ = 0;
        }
        return record;
    }

    static constexpr std::uint32_t enough_in_a_row = 8;

  private:
    // Eight bytes at a time: std::hash takes twice as long as all the rest of this.
    static std::uint64_t hash_of(std::string_view text) {
        std::uint64_t hash = text.size();
        const auto mix = [&hash](std::uint64_t word) {
            hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
            hash ^= hash >> 32;
        };
        std::uint64_t word = 0;
        if (text.size() < sizeof word) {
            std::memcpy(&word, text.data(), text.size());
            mix(word);
            return hash;
        }
        const char* const last = text.data() + text.size() - sizeof word;
        for (const char* at = text.data(); at < last; at += sizeof word) {
            std::memcpy(&word, at, sizeof word);
            mix(word);
        }
        std::memcpy(&word, last, sizeof word); // overlaps the one before
        mix(word);
        return hash;
    }

    std::array<Record, 1024> records_{};
};

} // namespace cppcorn

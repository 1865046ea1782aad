// The ids that a worker gives to requests that bring none: 32 hexadecimal digits. The last 16 are the worker's own, drawn
// when it starts; the first 16 are of a count, mixed so that no two are equal, nor look alike at a glance. So ids differ
// between workers, releases and machines, and one costs no system call.
//
// Each worker makes its own behind the fork: a copy in another process would give the same ids once more. One thread.
#pragma once

#include <array>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace cppcorn {

using RequestIdText = std::array<char, 32>;

class RequestIds {
  public:
    struct Seed {
        std::uint64_t worker;
        std::uint64_t mixing;
    };
    // Of the kernel's random numbers.
    static Seed random_seed();

    explicit RequestIds(Seed seed) : key_(seed.mixing) { write_hex(seed.worker, text_.data() + 16); }

    void make(RequestIdText& id) {
        write_hex(mix(count_++ + key_), text_.data());
        id = text_;
    }

  private:
    // A bijection, so that each count has another result: the finalizer of splitmix64.
    static std::uint64_t mix(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31);
    }
    // Eight digits at a time: each gets a byte of a word.
    static void write_hex(std::uint64_t value, char* to) {
#ifdef __SSE2__
        const __m128i low_bits = _mm_set1_epi8(0x0f);
        const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(__builtin_bswap64(value)));
        const __m128i digits = _mm_and_si128(_mm_unpacklo_epi8(_mm_srli_epi64(bytes, 4), bytes), low_bits);
        const __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '9' - 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                         _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters));
#else
        for (int digit = 0; digit < 16; ++digit) to[digit] = "0123456789abcdef"[value >> (60 - 4 * digit) & 0xf];
#endif
    }

    RequestIdText text_{};
    std::uint64_t key_;
    std::uint64_t count_ = 0;
};

} // namespace cppcorn

// Text looked at sixteen bytes at a time, where the processor has SSE2 (all of x86-64 has).
#pragma once

#include <bit>
#include <cstddef>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>

namespace cppcorn {

// How many bytes at the beginning of `text` are usual. odd_bytes(block) has a bit for each of a block's bytes that is
// not. Nothing is read beyond the text. Perhaps fewer than there are (0) of a text of up to seven bytes: the caller
// goes on one by one.
template <class OddBytes>
std::size_t usual_length(std::string_view text, OddBytes odd_bytes) {
    const auto first_odd = [&](__m128i block) {
        return static_cast<std::size_t>(std::countr_zero(odd_bytes(block) | 0x10000U));
    };
    const auto load = [](const char* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
    const auto load_half = [](const char* from) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)); };
    const std::size_t size = text.size();
    const char* const end = text.data() + size;
    if (size < 8) return 0;
    if (size < 16) { // both ends, which overlap
        const std::size_t first = first_odd(_mm_unpacklo_epi64(load_half(text.data()), load_half(end - 8)));
        return first < 8 ? first : size - 16 + first;
    }
    for (const char* at = text.data(); at + 16 <= end; at += 16) {
        const std::size_t first = first_odd(load(at));
        if (first < 16) return static_cast<std::size_t>(at - text.data()) + first;
    }
    return size - 16 + first_odd(load(end - 16)); // the rest, with bytes before it once more
}

} // namespace cppcorn
#endif

// Packing by AVX-512, for kernels whose panels hold pairs of all lines, then the next pairs of all lines. Everything here is static: a file compiled for newer
// instructions must share no code with others.
#pragma once
#include <immintrin.h>

#include "kernel.h"

static inline int least(int a, int b) { return a < b ? a : b; }
static inline __mmask16 firstOf(int count) { return count >= 16 ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1 << count) - 1); }
static inline __m512i rounded(__m512 low, __m512 high) { return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)); }

/** 16 x 16 numbers of 32 bits, rows to columns. */
static inline void transpose(__m512i r[16]) {
  __m512i t[16];
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; i++) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

/** 16 pairs of a line from `inner` on, of which so many numbers exist. */
static inline __m512i pairsAt(const float* line, int exist) {
  const __m512 low = _mm512_maskz_loadu_ps(firstOf(exist), line);
  return rounded(low, exist > 16 ? _mm512_maskz_loadu_ps(firstOf(exist - 16), line + 16) : _mm512_setzero_ps());
}

/** Pair `p` of 16 lines from `group` on that lie next to each other, of which `exist` exist. */
static inline __m512i pairsAcross(const Lines& lines, int group, int p, int inner, __mmask16 exist) {
  alignas(64) static const uint16_t turns[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const int k = 2 * p;
  const __m512 low = k < inner ? _mm512_maskz_loadu_ps(exist, lines.at(group, k)) : _mm512_setzero_ps();
  const __m512 high = k + 1 < inner ? _mm512_maskz_loadu_ps(exist, lines.at(group, k + 1)) : _mm512_setzero_ps();
  return _mm512_permutexvar_epi16(_mm512_load_si512(turns), rounded(low, high));
}

/** A panel of WIDTH lines: panel[pair · WIDTH + line]. */
template <int WIDTH>
static inline void packInterleaved(const Lines& lines, int count, int inner, Pair* panel) {
  const int pairs = pairsOf(inner);
  if (lines.alongInner) {
    for (int group = 0; group < WIDTH; group += 16) {
      const __mmask16 kept = firstOf(WIDTH - group);
      for (int p = 0; p < pairs; p += 16) {
        __m512i r[16];
        for (int i = 0; i < 16; i++)
          r[i] = group + i < count ? pairsAt(lines.at(group + i, 2 * p), inner - 2 * p) : _mm512_setzero_si512();
        transpose(r);
        for (int j = 0; j < 16; j++) _mm512_mask_storeu_epi32(panel + (p + j) * WIDTH + group, kept, r[j]);
      }
    }
    return;
  }
  for (int p = 0; p < pairs; p++)
    for (int group = 0; group < WIDTH; group += 16)
      _mm512_mask_storeu_epi32(panel + p * WIDTH + group, firstOf(WIDTH - group), pairsAcross(lines, group, p, inner, firstOf(count - group)));
}

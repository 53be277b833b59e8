// AVX512_BF16: a block of 12 x 32 numbers stays in 24 registers while pairs of it are multiplied.
#include "pack-avx512.h"

static const int ROWS = 12, COLUMNS = 32;

static bool prepare() { return true; }
static void packRows(const Lines& lines, int count, int inner, Pair* panel) { packInterleaved<ROWS>(lines, count, inner, panel); }
static void packColumns(const Lines& lines, int count, int inner, Pair* panel) { packInterleaved<COLUMNS>(lines, count, inner, panel); }

static inline __m512 addProducts(__m512 sum, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}

static void multiply(const Pair* a, const Pair* b, int inner, float alpha, float* c, ptrdiff_t stride, int rows, int columns, bool add) {
#define EACH_ROW(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8) what(9) what(10) what(11)
#define ZERO(i) __m512 left##i = _mm512_setzero_ps(), right##i = _mm512_setzero_ps();
  EACH_ROW(ZERO)
  const int pairs = (inner + 1) / 2;
  for (int p = 0; p < pairs; p++, a += ROWS, b += COLUMNS) {
    const __m512i first = _mm512_loadu_si512(b), second = _mm512_loadu_si512(b + 16);
    __m512i one;
#define STEP(i) one = _mm512_set1_epi32(static_cast<int>(a[i])); left##i = addProducts(left##i, one, first); right##i = addProducts(right##i, one, second);
    EACH_ROW(STEP)
  }
  const __mmask16 some = firstOf(columns), more = firstOf(columns - 16);
  const __m512 factor = _mm512_set1_ps(alpha);
#define STORE(i)                                                                             \
  if (i < rows) {                                                                            \
    float* to = c + i * stride;                                                              \
    left##i = _mm512_mul_ps(left##i, factor);                                                \
    right##i = _mm512_mul_ps(right##i, factor);                                              \
    if (add) {                                                                               \
      left##i = _mm512_add_ps(left##i, _mm512_maskz_loadu_ps(some, to));                     \
      if (more) right##i = _mm512_add_ps(right##i, _mm512_maskz_loadu_ps(more, to + 16));    \
    }                                                                                        \
    _mm512_mask_storeu_ps(to, some, left##i);                                                \
    if (more) _mm512_mask_storeu_ps(to + 16, more, right##i);                                \
  }
  EACH_ROW(STORE)
}

extern const Kernel avx512Kernel = {"avx512_bf16", ROWS, COLUMNS, prepare, packRows, packColumns, multiply};

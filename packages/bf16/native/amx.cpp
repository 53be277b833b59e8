// AMX: four tiles of 16 x 16 sums, two tiles of rows and two of columns. Compiled and never run by its authors, who had no such processor: `findKernel` tries it on
// a small product before it is used.
#include "pack-avx512.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const int ROWS = 32, COLUMNS = 32;

/** As LDTILECFG reads it. */
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start = 0;
  uint8_t reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

static bool prepare() {
  static thread_local bool ready = false;
  if (ready) return true;
#ifdef __linux__
  // ARCH_REQ_XCOMP_PERM for XTILEDATA: Linux gives tiles to those who ask.
  if (syscall(SYS_arch_prctl, 0x1023, 18) != 0) return false;
#endif
  const TileShapes shapes;
  _tile_loadconfig(&shapes);
  ready = true;
  return true;
}

/** A panel of rows: panel[line · pairs + pair], so that a tile's rows are `pairs` apart. */
static void packRows(const Lines& lines, int count, int inner, Pair* panel) {
  const int pairs = pairsOf(inner);
  if (lines.alongInner) {
    for (int i = 0; i < ROWS; i++)
      for (int p = 0; p < pairs; p += 16)
        _mm512_storeu_si512(panel + i * pairs + p, i < count ? pairsAt(lines.at(i, 2 * p), inner - 2 * p) : _mm512_setzero_si512());
    return;
  }
  for (int group = 0; group < ROWS; group += 16) {
    const __mmask16 exist = firstOf(count - group);
    for (int p = 0; p < pairs; p += 16) {
      __m512i r[16];
      for (int j = 0; j < 16; j++) r[j] = pairsAcross(lines, group, p + j, inner, exist);
      transpose(r);
      for (int i = 0; i < 16; i++) _mm512_storeu_si512(panel + (group + i) * pairs + p, r[i]);
    }
  }
}
static void packColumns(const Lines& lines, int count, int inner, Pair* panel) { packInterleaved<COLUMNS>(lines, count, inner, panel); }

static void multiply(const Pair* a, const Pair* b, int inner, float alpha, float* c, ptrdiff_t stride, int rows, int columns, bool add) {
  const int pairs = pairsOf(inner);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const long rowBytes = 4L * pairs, columnBytes = 4L * COLUMNS;
  for (int p = 0; p < pairs; p += 16) {
    _tile_loadd(4, a + p, rowBytes);
    _tile_loadd(5, a + 16 * pairs + p, rowBytes);
    _tile_loadd(6, b + p * COLUMNS, columnBytes);
    _tile_loadd(7, b + p * COLUMNS + 16, columnBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  alignas(64) float sums[ROWS * COLUMNS];
  _tile_stored(0, sums, columnBytes);
  _tile_stored(1, sums + 16, columnBytes);
  _tile_stored(2, sums + 16 * COLUMNS, columnBytes);
  _tile_stored(3, sums + 16 * COLUMNS + 16, columnBytes);
  const __m512 factor = _mm512_set1_ps(alpha);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < columns; j += 16) {
      const __mmask16 exist = firstOf(columns - j);
      float* to = c + i * stride + j;
      __m512 sum = _mm512_mul_ps(_mm512_load_ps(sums + i * COLUMNS + j), factor);
      if (add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(exist, to));
      _mm512_mask_storeu_ps(to, exist, sum);
    }
  }
}

extern const Kernel amxKernel = {"amx_bf16", ROWS, COLUMNS, prepare, packRows, packColumns, multiply};

// The same numbers by plain C++, on any processor: for tests, and to try the others by.
#include <cstring>

#include "kernel.h"

static const int ROWS = 4, COLUMNS = 8;

static bool prepare() { return true; }

static uint32_t rounded(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >> 16) | 0x40;
  // The instructions take numbers below the smallest normal one for 0.
  if ((bits & 0x7f800000) == 0) return (bits >> 16) & 0x8000;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
static float number(uint32_t half) {
  const uint32_t bits = half << 16;
  float made;
  std::memcpy(&made, &bits, 4);
  return made;
}

static void pack(const Lines& lines, int width, int count, int inner, Pair* panel) {
  for (int p = 0; p < pairsOf(inner); p++)
    for (int i = 0; i < width; i++) {
      const uint32_t low = i < count && 2 * p < inner ? rounded(*lines.at(i, 2 * p)) : 0;
      const uint32_t high = i < count && 2 * p + 1 < inner ? rounded(*lines.at(i, 2 * p + 1)) : 0;
      panel[p * width + i] = low | high << 16;
    }
}
static void packRows(const Lines& lines, int count, int inner, Pair* panel) { pack(lines, ROWS, count, inner, panel); }
static void packColumns(const Lines& lines, int count, int inner, Pair* panel) { pack(lines, COLUMNS, count, inner, panel); }

static void multiply(const Pair* a, const Pair* b, int inner, float alpha, float* c, ptrdiff_t stride, int rows, int columns, bool add) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      float sum = 0;
      for (int p = 0; 2 * p < inner; p++) {
        const Pair x = a[p * ROWS + i], y = b[p * COLUMNS + j];
        sum += number(x >> 16) * number(y >> 16);
        sum += number(x & 0xffff) * number(y & 0xffff);
      }
      float* to = c + i * stride + j;
      *to = alpha * sum + (add ? *to : 0);
    }
}

extern const Kernel emulatedKernel = {"emulated", ROWS, COLUMNS, prepare, packRows, packColumns, multiply};

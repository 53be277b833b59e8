// What computes blocks of a product, by one processor's instructions. C = alpha op(A) op(B): A, B and C are single precision, row-major; A and B are rounded to
// bf16 (nearest, ties to even) while they are packed, and products are summed in single precision.
#pragma once
#include <cstddef>
#include <cstdint>

/** Two bf16 numbers that are neighbours along the inner dimension: the first in the lower half. */
typedef uint32_t Pair;

/**
 * Lines of a matrix along which products are summed: rows of op(A), columns of op(B). A line's numbers lie next to each other (`alongInner`), `stride` apart from the
 * next line's; or the lines' numbers of one place lie next to each other, `stride` apart from the next place's.
 */
struct Lines {
  const float* data;
  ptrdiff_t stride;
  bool alongInner;

  const float* at(ptrdiff_t line, ptrdiff_t inner) const {
    return alongInner ? data + line * stride + inner : data + inner * stride + line;
  }
};

struct Kernel {
  const char* name;
  /** Lines that a panel holds, of A and of B; a panel takes `pairsOf(inner)` pairs a line, whatever part of its lines exist. */
  int rows;
  int columns;
  /** Makes ready the thread that calls; false where the system does not allow it. */
  bool (*prepare)();
  /** Packs the first `count` lines for `inner` numbers each; what is missing of a panel is 0. */
  void (*packRows)(const Lines& lines, int count, int inner, Pair* panel);
  void (*packColumns)(const Lines& lines, int count, int inner, Pair* panel);
  /** The product of two panels packed for `inner` numbers, times alpha, written to (or added to) `rows` x `columns` numbers at c, `stride` apart. */
  void (*multiply)(const Pair* a, const Pair* b, int inner, float alpha, float* c, ptrdiff_t stride, int rows, int columns, bool add);
};

/** Pairs that a line of so many numbers takes in a panel: a multiple of 16, as tiles need. */
inline int pairsOf(int inner) { return (inner + 31) / 32 * 16; }

extern const Kernel emulatedKernel;
#if defined(RAG_FT_X64)
extern const Kernel avx512Kernel;
extern const Kernel amxKernel;
#endif

/** The kernel of that name, or, where it is null, the best that this processor has; null where there is none. Each is tried on a small product first. */
const Kernel* findKernel(const char* name);

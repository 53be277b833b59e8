// Products of matrices and of batches of them, over the threads that a caller has.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernel.h"

/** Runs work(data, i) for each i below `count`, on several threads or not. */
struct Threads {
  void* context;
  void (*each)(void* context, size_t count, void (*work)(void* data, size_t i), void* data);
  int count;
};

/** C = alpha op(A) op(B), each matrix row-major without gaps: op(A) [rows, inner], op(B) [inner, columns]. */
struct Product {
  int64_t rows, columns, inner;
  bool transA, transB;
  float alpha;
};

void multiply(const Kernel& kernel, const Threads& threads, const Product& product, const float* a, const float* b, float* c);

/** Matrix i of a batch is at a + fromA[i], b + fromB[i], c + i · rows · columns. */
void multiplyBatch(const Kernel& kernel, const Threads& threads, const Product& product, size_t count, const int64_t* fromA, const int64_t* fromB, const float* a, const float* b, float* c);

#include "product.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

/** Numbers along the inner dimension that are packed at once: a panel of columns stays in the first cache. */
constexpr int64_t INNER = 512;
/** Columns that are packed at once: some megabytes. */
constexpr int64_t COLUMNS = 2048;
/** Rows of a thread's block: packed, they stay in the second cache. */
constexpr int64_t ROWS = 192;

/** Memory that grows and is kept by its thread: a product needs the same again and again. */
struct Scratch {
  Pair* memory = nullptr;
  size_t size = 0;
  Pair* of(size_t pairs) {
    if (pairs > size) {
      release();
      const size_t bytes = (pairs * sizeof(Pair) + 63) / 64 * 64;
#ifdef _WIN32
      memory = static_cast<Pair*>(_aligned_malloc(bytes, 64));
#else
      memory = static_cast<Pair*>(std::aligned_alloc(64, bytes));
#endif
      if (memory == nullptr) throw std::bad_alloc();
      size = pairs;
    }
    return memory;
  }
  void release() {
#ifdef _WIN32
    _aligned_free(memory);
#else
    std::free(memory);
#endif
    memory = nullptr;
    size = 0;
  }
  ~Scratch() { release(); }
};
thread_local Scratch packedRows;
thread_local Scratch packedColumns;

int64_t partsOf(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

/** A part of a product: some columns, and some numbers along the inner dimension. */
struct Part {
  const Kernel& kernel;
  const Product& product;
  const float* a;
  const float* b;
  float* c;
  int64_t column, columns, from, inner;
  Pair* packed;

  Lines rowsAt(int64_t row) const {
    if (product.transA) return {a + from * product.rows + row, static_cast<ptrdiff_t>(product.rows), false};
    return {a + row * product.inner + from, static_cast<ptrdiff_t>(product.inner), true};
  }
  Lines columnsAt(int64_t at) const {
    if (product.transB) return {b + at * product.inner + from, static_cast<ptrdiff_t>(product.inner), true};
    return {b + from * product.columns + at, static_cast<ptrdiff_t>(product.columns), false};
  }
  int64_t panels() const { return partsOf(columns, kernel.columns); }
  size_t panelOfColumns() const { return static_cast<size_t>(pairsOf(static_cast<int>(inner))) * kernel.columns; }

  void packPanel(int64_t panel) const {
    const int64_t at = column + panel * kernel.columns;
    const int64_t count = std::min<int64_t>(kernel.columns, column + columns - at);
    kernel.packColumns(columnsAt(at), static_cast<int>(count), static_cast<int>(inner), packed + panel * panelOfColumns());
  }
  void multiplyRows(int64_t first, int64_t last) const {
    const size_t panelOfRows = static_cast<size_t>(pairsOf(static_cast<int>(inner))) * kernel.rows;
    const int64_t count = partsOf(last - first, kernel.rows);
    Pair* mine = packedRows.of(panelOfRows * count);
    const auto rowsOf = [&](int64_t i) { return static_cast<int>(std::min<int64_t>(kernel.rows, last - first - i * kernel.rows)); };
    for (int64_t i = 0; i < count; i++)
      kernel.packRows(rowsAt(first + i * kernel.rows), rowsOf(i), static_cast<int>(inner), mine + i * panelOfRows);
    for (int64_t j = 0; j < panels(); j++) {
      const int64_t at = column + j * kernel.columns;
      const int wide = static_cast<int>(std::min<int64_t>(kernel.columns, column + columns - at));
      for (int64_t i = 0; i < count; i++)
        kernel.multiply(mine + i * panelOfRows, packed + j * panelOfColumns(), static_cast<int>(inner), product.alpha,
                        c + (first + i * kernel.rows) * product.columns + at, static_cast<ptrdiff_t>(product.columns), rowsOf(i), wide, from > 0);
    }
  }
};

template <class Work>
void each(const Threads& threads, size_t count, const Work& work) {
  const auto call = [](void* data, size_t i) { (*static_cast<const Work*>(data))(i); };
  threads.each(threads.context, count, call, const_cast<Work*>(&work));
}

/** Equal parts along the inner dimension, of whole pairs. */
int64_t innerPart(int64_t inner) {
  const int64_t part = partsOf(inner, partsOf(inner, INNER));
  return (part + 1) / 2 * 2;
}

bool isEmpty(const Product& product, size_t count, float* c) {
  if (product.inner == 0) std::memset(c, 0, sizeof(float) * count * product.rows * product.columns);
  return count == 0 || product.rows == 0 || product.columns == 0 || product.inner == 0;
}

template <class Work>
void eachPart(const Kernel& kernel, const Product& product, const float* a, const float* b, float* c, const Work& work) {
  const int64_t step = innerPart(product.inner);
  for (int64_t column = 0; column < product.columns; column += COLUMNS)
    for (int64_t from = 0; from < product.inner; from += step) {
      Part part{kernel, product, a, b, c, column, std::min(COLUMNS, product.columns - column), from, std::min(step, product.inner - from), nullptr};
      part.packed = packedColumns.of(part.panelOfColumns() * part.panels());
      work(part);
    }
}

/** Rows of each task: as many tasks as threads, or more where their rows would not stay in the cache. */
int64_t rowsOfTask(const Kernel& kernel, const Threads& threads, int64_t rows) {
  const int64_t tasks = std::max<int64_t>(1, std::max<int64_t>(threads.count, partsOf(rows, ROWS)));
  const int64_t even = partsOf(tasks, std::max(threads.count, 1)) * std::max(threads.count, 1);
  return partsOf(partsOf(rows, even), kernel.rows) * kernel.rows;
}

}  // namespace

void multiply(const Kernel& kernel, const Threads& threads, const Product& product, const float* a, const float* b, float* c) {
  if (isEmpty(product, 1, c)) return;
  const int64_t rows = rowsOfTask(kernel, threads, product.rows);
  eachPart(kernel, product, a, b, c, [&](const Part& part) {
    const int64_t panels = part.panels();
    const int64_t chunk = partsOf(panels, std::max(threads.count, 1));
    each(threads, partsOf(panels, chunk), [&](size_t task) {
      kernel.prepare();
      const int64_t end = std::min(panels, static_cast<int64_t>(task + 1) * chunk);
      for (int64_t j = task * chunk; j < end; j++) part.packPanel(j);
    });
    each(threads, partsOf(product.rows, rows), [&](size_t task) {
      kernel.prepare();
      part.multiplyRows(task * rows, std::min(product.rows, static_cast<int64_t>(task + 1) * rows));
    });
  });
}

void multiplyBatch(const Kernel& kernel, const Threads& threads, const Product& product, size_t count, const int64_t* fromA, const int64_t* fromB, const float* a, const float* b, float* c) {
  if (isEmpty(product, count, c)) return;
  const int64_t size = product.rows * product.columns;
  if (count < static_cast<size_t>(2 * threads.count)) {
    for (size_t i = 0; i < count; i++) multiply(kernel, threads, product, a + fromA[i], b + fromB[i], c + i * size);
    return;
  }
  // Each matrix is one thread's. Several go to a task, so that small ones do not cost more to hand out than to multiply.
  const size_t tasks = std::min(count, static_cast<size_t>(8 * threads.count));
  each(threads, tasks, [&](size_t task) {
    kernel.prepare();
    for (size_t i = count * task / tasks; i < count * (task + 1) / tasks; i++)
      eachPart(kernel, product, a + fromA[i], b + fromB[i], c + i * size, [&](const Part& part) {
        for (int64_t j = 0; j < part.panels(); j++) part.packPanel(j);
        for (int64_t row = 0; row < product.rows; row += ROWS) part.multiplyRows(row, std::min(product.rows, row + ROWS));
      });
  });
}

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "kernel.h"
#include "product.h"

#if defined(RAG_FT_X64)
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace {

#if defined(RAG_FT_X64)
struct Registers {
  unsigned a, b, c, d;
};
Registers cpuid(unsigned leaf, unsigned part) {
#ifdef _MSC_VER
  int found[4];
  __cpuidex(found, static_cast<int>(leaf), static_cast<int>(part));
  return {static_cast<unsigned>(found[0]), static_cast<unsigned>(found[1]), static_cast<unsigned>(found[2]), static_cast<unsigned>(found[3])};
#else
  Registers found{};
  __get_cpuid_count(leaf, part, &found.a, &found.b, &found.c, &found.d);
  return found;
#endif
}
/** The registers whose contents the system keeps for a thread. */
uint64_t keptRegisters() {
  if (((cpuid(1, 0).c >> 27) & 1) == 0) return 0;
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}
bool hasAvx512Bf16() {
  if ((keptRegisters() & 0xe6) != 0xe6) return false;
  const Registers seven = cpuid(7, 0);
  // AVX512 F, DQ, BW, VL
  const bool wide = (seven.b >> 16 & 1) && (seven.b >> 17 & 1) && (seven.b >> 30 & 1) && (seven.b >> 31 & 1);
  return wide && (cpuid(7, 1).a >> 5 & 1);
}
bool hasAmx() {
  const uint64_t tiles = 3ull << 17;
  if ((keptRegisters() & tiles) != tiles || !hasAvx512Bf16()) return false;
  const unsigned d = cpuid(7, 0).d;
  return (d >> 22 & 1) && (d >> 24 & 1);
}
#endif

void inTurn(void*, size_t count, void (*work)(void*, size_t), void* data) {
  for (size_t i = 0; i < count; i++) work(data, i);
}

/** Whether a kernel multiplies as plain C++ does: both transposes, sizes that fill no panel, sums over several parts. */
bool isRight(const Kernel& kernel) {
  const Threads one{nullptr, inTurn, 1};
  const int64_t rows = 37, columns = 45, inner = 1061;
  std::vector<float> a(rows * inner), b(inner * columns), c(rows * columns), expected(rows * columns);
  uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  };
  for (float& x : a) x = next();
  for (float& x : b) x = next();
  for (int turn = 0; turn < 4; turn++) {
    const Product product{rows, columns, inner, (turn & 1) != 0, (turn & 2) != 0, 0.5f};
    multiply(emulatedKernel, one, product, a.data(), b.data(), expected.data());
    multiply(kernel, one, product, a.data(), b.data(), c.data());
    for (size_t i = 0; i < c.size(); i++)
      if (!(std::fabs(c[i] - expected[i]) < 1e-3f)) return false;
  }
  return true;
}

}  // namespace

const Kernel* findKernel(const char* name) {
  if (name != nullptr && std::strcmp(name, "emulated") == 0) return &emulatedKernel;
#if defined(RAG_FT_X64)
  for (const Kernel* kernel : {&amxKernel, &avx512Kernel}) {
    if (name != nullptr && std::strcmp(name, kernel->name) != 0) continue;
    // Tried once: the processor stays what it is.
    static const bool works[] = {hasAmx() && amxKernel.prepare() && isRight(amxKernel), hasAvx512Bf16() && isRight(avx512Kernel)};
    if (works[kernel == &amxKernel ? 0 : 1]) return kernel;
  }
#endif
  return nullptr;
}

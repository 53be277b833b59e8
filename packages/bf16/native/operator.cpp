#include "operator.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <vector>

#include "product.h"

struct Operators : ort::CustomOperator {
  const Kernel* kernel;
  int threads;
  ort::Domain* domain;
};

namespace {

using ort::KernelContext;
using ort::Status;

struct Attributes {
  const Operators* operators;
  int64_t transA = 0, transB = 0;
  float alpha = 1;
};

struct Input {
  const float* data;
  std::vector<int64_t> shape;
};

Status* read(const KernelContext* context, size_t index, Input& input) {
  const ort::Value* value = nullptr;
  ort::Shape* shape = nullptr;
  size_t rank = 0;
  if (Status* failed = ort::kernelInput(context, index, &value)) return failed;
  if (Status* failed = ort::getShape(value, &shape)) return failed;
  Status* failed = ort::dimensionCount(shape, &rank);
  input.shape.resize(rank);
  if (failed == nullptr) failed = ort::dimensions(shape, input.shape.data(), rank);
  ort::releaseShape(shape);
  if (failed != nullptr) return failed;
  void* data = nullptr;
  failed = ort::getData(const_cast<ort::Value*>(value), &data);
  input.data = static_cast<const float*>(data);
  return failed;
}

int64_t sizeOf(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t dimension : shape) size *= dimension;
  return size;
}

/** Where the matrices of a batch begin in an input whose leading dimensions broadcast to `leading`. */
std::vector<int64_t> starts(const std::vector<int64_t>& own, const std::vector<int64_t>& leading, int64_t matrix) {
  std::vector<int64_t> steps(leading.size(), 0);
  int64_t step = matrix;
  for (size_t i = own.size(); i-- > 0;) {
    if (own[i] != 1) steps[leading.size() - own.size() + i] = step;
    step *= own[i];
  }
  std::vector<int64_t> found(sizeOf(leading));
  for (size_t n = 0; n < found.size(); n++) {
    int64_t rest = static_cast<int64_t>(n), at = 0;
    for (size_t i = leading.size(); i-- > 0;) {
      at += rest % leading[i] * steps[i];
      rest /= leading[i];
    }
    found[n] = at;
  }
  return found;
}

Status* invalid(const char* message) { return ort::createStatus(2, message); }

Status* computeProduct(const Attributes& attributes, KernelContext* context) {
  Input a, b;
  if (Status* failed = read(context, 0, a)) return failed;
  if (Status* failed = read(context, 1, b)) return failed;
  if (a.shape.size() < 2 || b.shape.size() < 2) return invalid("MatMulBf16: needs matrices");
  const auto dimension = [](const Input& input, bool last) { return input.shape[input.shape.size() - (last ? 1 : 2)]; };
  const bool transA = attributes.transA != 0, transB = attributes.transB != 0;
  Product product{dimension(a, transA), dimension(b, !transB), dimension(a, !transA), transA, transB, attributes.alpha};
  if (dimension(b, transB) != product.inner) return invalid("MatMulBf16: inner dimensions differ");
  const std::vector<int64_t> leadA(a.shape.begin(), a.shape.end() - 2), leadB(b.shape.begin(), b.shape.end() - 2);
  std::vector<int64_t> leading(std::max(leadA.size(), leadB.size()), 1);
  for (size_t i = 0; i < leading.size(); i++) {
    const auto of = [&](const std::vector<int64_t>& lead) { return i + lead.size() < leading.size() ? 1 : lead[i + lead.size() - leading.size()]; };
    const int64_t x = of(leadA), y = of(leadB);
    if (x != y && x != 1 && y != 1) return invalid("MatMulBf16: leading dimensions do not broadcast");
    leading[i] = x == 1 ? y : x;
  }
  std::vector<int64_t> shape = leading;
  shape.push_back(product.rows);
  shape.push_back(product.columns);
  ort::Value* output = nullptr;
  if (Status* failed = ort::kernelOutput(context, 0, shape.data(), shape.size(), &output)) return failed;
  void* c = nullptr;
  if (Status* failed = ort::getData(output, &c)) return failed;

  const auto each = [](void* given, size_t count, void (*work)(void*, size_t), void* data) {
    if (count == 1) return work(data, 0);
    if (Status* failed = ort::parallelFor(static_cast<const KernelContext*>(given), work, count, size_t{0}, data)) {
      ort::releaseStatus(failed);
      throw std::runtime_error("MatMulBf16: ONNX Runtime lent no threads");
    }
  };
  const Threads threads{context, each, attributes.operators->threads};
  const Kernel& kernel = *attributes.operators->kernel;
  float* to = static_cast<float*>(c);
  const int64_t count = sizeOf(leading);
  if (count == 1) {
    multiply(kernel, threads, product, a.data, b.data, to);
  } else if (sizeOf(leadB) == 1 && !transA) {
    // One matrix multiplies all: their rows are one matrix's.
    product.rows *= count;
    multiply(kernel, threads, product, a.data, b.data, to);
  } else {
    const auto fromA = starts(leadA, leading, product.rows * product.inner), fromB = starts(leadB, leading, product.inner * product.columns);
    multiplyBatch(kernel, threads, product, static_cast<size_t>(count), fromA.data(), fromB.data(), a.data, b.data, to);
  }
  return nullptr;
}

Status* createKernel(const ort::CustomOperator* op, const void*, const ort::KernelInfo* info, void** kernel) {
  auto* made = new Attributes{static_cast<const Operators*>(op)};
  Status* failed = ort::intAttribute(info, "transA", &made->transA);
  if (failed == nullptr) failed = ort::intAttribute(info, "transB", &made->transB);
  if (failed == nullptr) failed = ort::floatAttribute(info, "alpha", &made->alpha);
  if (failed != nullptr) {
    delete made;
    return failed;
  }
  *kernel = made;
  return nullptr;
}

Status* compute(void* kernel, KernelContext* context) {
  try {
    return computeProduct(*static_cast<const Attributes*>(kernel), context);
  } catch (const std::exception& error) {
    return ort::createStatus(1, error.what());
  }
}

}  // namespace

Operators* addOperators(ort::Options* options, const Kernel* kernel, int threads, Status** status) {
  auto* made = new Operators{};
  made->kernel = kernel;
  made->threads = threads;
  made->version = ort::VERSION;
  made->getName = [](const ort::CustomOperator*) { return "MatMulBf16"; };
  made->getProvider = [](const ort::CustomOperator*) -> const char* { return nullptr; };
  made->getInputType = [](const ort::CustomOperator*, size_t) { return ort::FLOAT; };
  made->getInputCount = [](const ort::CustomOperator*) -> size_t { return 2; };
  made->getOutputType = [](const ort::CustomOperator*, size_t) { return ort::FLOAT; };
  made->getOutputCount = [](const ort::CustomOperator*) -> size_t { return 1; };
  made->destroyKernel = [](void* kernel) { delete static_cast<Attributes*>(kernel); };
  // Required, and in the machine's memory.
  made->getInputCharacteristic = [](const ort::CustomOperator*, size_t) { return 0; };
  made->getOutputCharacteristic = [](const ort::CustomOperator*, size_t) { return 0; };
  made->getInputMemory = [](const ort::CustomOperator*, size_t) { return 0; };
  made->createKernel2 = createKernel;
  made->compute2 = compute;
  made->getStartVersion = [](const ort::CustomOperator*) { return 1; };
  made->getEndVersion = [](const ort::CustomOperator*) { return 1; };
  *status = ort::createDomain("rag_ft", &made->domain);
  if (*status == nullptr) *status = ort::addOperator(made->domain, static_cast<const void*>(static_cast<ort::CustomOperator*>(made)));
  if (*status == nullptr) *status = ort::addDomain(options, made->domain);
  return made;
}

void releaseOperators(Operators* operators) {
  if (operators == nullptr) return;
  if (operators->domain != nullptr) ort::releaseDomain(operators->domain);
  delete operators;
}

// The part of ONNX Runtime's C interface that is used here. Its table of functions only ever grows at its end, so that a function is told by its
// place in it; the places and types are facts of its public header (checked against version 1.30).
#pragma once
#include <cstddef>
#include <cstdint>

namespace ort {

struct Status;
struct Value;
struct Session;
struct Options;
struct Environment;
struct MemoryInfo;
struct Shape;
struct Allocator;
struct Domain;
struct KernelInfo;
struct KernelContext;

/** The version of the interface that is asked for: the oldest that has all that is used. */
constexpr uint32_t VERSION = 20;
constexpr int FLOAT = 1;
constexpr int LOG_ERRORS = 3;
constexpr int ALL_OPTIMIZATIONS = 99;

struct Base {
  const void* (*getApi)(uint32_t);
  const char* (*getVersion)();
};

/** ONNX Runtime's table; set by `connect`. */
extern void* const* table;

/**
 * Finds the library that onnxruntime-node has loaded into this process. Returns its version, or null where it is not there or does not
 * have the interface.
 */
const char* connect();

#define ORT_FUNCTION(name, place, result, ...)                    \
  template <class... Given>                                       \
  inline result name(Given... given) {                            \
    return reinterpret_cast<result (*)(__VA_ARGS__)>(table[place])(given...); \
  }

ORT_FUNCTION(createStatus, 0, Status*, int, const char*)
ORT_FUNCTION(getErrorMessage, 2, const char*, const Status*)
ORT_FUNCTION(createEnv, 3, Status*, int, const char*, Environment**)
ORT_FUNCTION(createSession, 7, Status*, const Environment*, const void*, const Options*, Session**)
ORT_FUNCTION(createSessionFromArray, 8, Status*, const Environment*, const void*, size_t, const Options*, Session**)
ORT_FUNCTION(run, 9, Status*, Session*, const void*, const char* const*, const Value* const*, size_t, const char* const*, size_t, Value**)
ORT_FUNCTION(createSessionOptions, 10, Status*, Options**)
ORT_FUNCTION(disableMemPattern, 17, Status*, Options*)
ORT_FUNCTION(setLogSeverityLevel, 22, Status*, Options*, int)
ORT_FUNCTION(setOptimizationLevel, 23, Status*, Options*, int)
ORT_FUNCTION(setIntraOpThreads, 24, Status*, Options*, int)
ORT_FUNCTION(setInterOpThreads, 25, Status*, Options*, int)
ORT_FUNCTION(createDomain, 26, Status*, const char*, Domain**)
ORT_FUNCTION(addOperator, 27, Status*, Domain*, const void*)
ORT_FUNCTION(addDomain, 28, Status*, Options*, Domain*)
ORT_FUNCTION(inputCount, 30, Status*, const Session*, size_t*)
ORT_FUNCTION(outputCount, 31, Status*, const Session*, size_t*)
ORT_FUNCTION(inputName, 36, Status*, const Session*, size_t, Allocator*, char**)
ORT_FUNCTION(outputName, 37, Status*, const Session*, size_t, Allocator*, char**)
ORT_FUNCTION(createTensor, 49, Status*, const MemoryInfo*, void*, size_t, const int64_t*, size_t, int, Value**)
ORT_FUNCTION(getData, 51, Status*, Value*, void**)
ORT_FUNCTION(elementType, 60, Status*, const Shape*, int*)
ORT_FUNCTION(dimensionCount, 61, Status*, const Shape*, size_t*)
ORT_FUNCTION(dimensions, 62, Status*, const Shape*, int64_t*, size_t)
ORT_FUNCTION(elementCount, 64, Status*, const Shape*, size_t*)
ORT_FUNCTION(getShape, 65, Status*, const Value*, Shape**)
ORT_FUNCTION(createCpuMemoryInfo, 69, Status*, int, int, MemoryInfo**)
ORT_FUNCTION(freeMemory, 76, Status*, Allocator*, void*)
ORT_FUNCTION(defaultAllocator, 78, Status*, Allocator**)
ORT_FUNCTION(floatAttribute, 85, Status*, const KernelInfo*, const char*, float*)
ORT_FUNCTION(intAttribute, 86, Status*, const KernelInfo*, const char*, int64_t*)
ORT_FUNCTION(kernelInput, 90, Status*, const KernelContext*, size_t, const Value**)
ORT_FUNCTION(kernelOutput, 91, Status*, KernelContext*, size_t, const int64_t*, size_t, Value**)
ORT_FUNCTION(releaseStatus, 93, void, Status*)
ORT_FUNCTION(releaseMemoryInfo, 94, void, MemoryInfo*)
ORT_FUNCTION(releaseSession, 95, void, Session*)
ORT_FUNCTION(releaseValue, 96, void, Value*)
ORT_FUNCTION(releaseShape, 99, void, Shape*)
ORT_FUNCTION(releaseOptions, 100, void, Options*)
ORT_FUNCTION(releaseDomain, 101, void, Domain*)
ORT_FUNCTION(addConfigEntry, 130, Status*, Options*, const char*, const char*)
ORT_FUNCTION(parallelFor, 274, Status*, const KernelContext*, void (*)(void*, size_t), size_t, size_t, void*)
#undef ORT_FUNCTION

/** An operator of one's own, as ONNX Runtime reads it. */
struct CustomOperator {
  uint32_t version;
  void* (*createKernel)(const CustomOperator*, const void*, const KernelInfo*);
  const char* (*getName)(const CustomOperator*);
  const char* (*getProvider)(const CustomOperator*);
  int (*getInputType)(const CustomOperator*, size_t);
  size_t (*getInputCount)(const CustomOperator*);
  int (*getOutputType)(const CustomOperator*, size_t);
  size_t (*getOutputCount)(const CustomOperator*);
  void (*compute)(void*, KernelContext*);
  void (*destroyKernel)(void*);
  int (*getInputCharacteristic)(const CustomOperator*, size_t);
  int (*getOutputCharacteristic)(const CustomOperator*, size_t);
  int (*getInputMemory)(const CustomOperator*, size_t);
  int (*getVariadicInputLeast)(const CustomOperator*);
  int (*getVariadicInputSame)(const CustomOperator*);
  int (*getVariadicOutputLeast)(const CustomOperator*);
  int (*getVariadicOutputSame)(const CustomOperator*);
  Status* (*createKernel2)(const CustomOperator*, const void*, const KernelInfo*, void**);
  Status* (*compute2)(void*, KernelContext*);
  Status* (*inferShape)(const CustomOperator*, void*);
  int (*getStartVersion)(const CustomOperator*);
  int (*getEndVersion)(const CustomOperator*);
  size_t (*getMayInplace)(int**, int**);
  void (*releaseMayInplace)(int*, int*);
  size_t (*getAliasMap)(int**, int**);
  void (*releaseAliasMap)(int*, int*);
};

}  // namespace ort

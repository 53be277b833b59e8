// Sessions of ONNX Runtime that know `MatMulBf16`, for Node. The library is the one that onnxruntime-node has loaded. What is given and what is written is memory of
// JavaScript's: nothing is copied on the way in, nor out where an array is given to write to.
#include <node_api.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernel.h"
#include "operator.h"
#include "ort.h"

namespace {

const char* version = nullptr;
ort::Environment* environment = nullptr;
ort::MemoryInfo* memory = nullptr;

struct OpenSession {
  ort::Session* session = nullptr;
  Operators* operators = nullptr;
  std::vector<std::string> inputs, outputs;
  /** Runs that are under way: a session that is closed meanwhile goes with the last of them. */
  int running = 0;
  bool closed = false;

  void release() {
    if (session != nullptr) ort::releaseSession(session);
    session = nullptr;
    releaseOperators(operators);
    operators = nullptr;
  }
  ~OpenSession() { release(); }
};

/** The message of a failed call; frees it. Empty where nothing failed. */
std::string messageOf(ort::Status* status) {
  if (status == nullptr) return "";
  std::string message = ort::getErrorMessage(status);
  ort::releaseStatus(status);
  return message.empty() ? "unknown error" : message;
}

bool check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, "a value of another kind was expected");
  return false;
}
napi_value fail(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

std::string textOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}
napi_value textValue(napi_env env, const std::string& text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}
napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  napi_get_named_property(env, object, name, &value);
  return value;
}
int numberOf(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

/** The bytes of a typed array. */
bool bytesOf(napi_env env, napi_value value, void** data, size_t* length) {
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  if (napi_get_typedarray_info(env, value, &type, length, data, &buffer, &offset) != napi_ok) return false;
  switch (type) {
    case napi_int16_array: case napi_uint16_array: *length *= 2; break;
    case napi_int32_array: case napi_uint32_array: case napi_float32_array: *length *= 4; break;
    case napi_float64_array: case napi_bigint64_array: case napi_biguint64_array: *length *= 8; break;
    default: break;
  }
  return true;
}

/** What `capabilities` says: ONNX Runtime's version and the kernel, each null where there is none. */
napi_value capabilities(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given[1], result, null;
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  const std::string name = count > 0 ? textOf(env, given[0]) : "";
  napi_create_object(env, &result);
  napi_get_null(env, &null);
  const Kernel* kernel = findKernel(name.empty() ? nullptr : name.c_str());
  napi_set_named_property(env, result, "onnxruntime", version ? textValue(env, version) : null);
  napi_set_named_property(env, result, "kernel", kernel ? textValue(env, kernel->name) : null);
  return result;
}

std::string namesOf(const ort::Session* session, bool inputs, std::vector<std::string>& names) {
  ort::Allocator* allocator = nullptr;
  size_t count = 0;
  std::string failed = messageOf(ort::defaultAllocator(&allocator));
  if (failed.empty()) failed = messageOf(inputs ? ort::inputCount(session, &count) : ort::outputCount(session, &count));
  for (size_t i = 0; failed.empty() && i < count; i++) {
    char* name = nullptr;
    failed = messageOf(inputs ? ort::inputName(session, i, allocator, &name) : ort::outputName(session, i, allocator, &name));
    if (!failed.empty()) break;
    names.emplace_back(name);
    messageOf(ort::freeMemory(allocator, name));
  }
  return failed;
}

struct Options {
  ort::Options* options = nullptr;
  ~Options() {
    if (options != nullptr) ort::releaseOptions(options);
  }
};

std::string configure(const Options& made, int threads, bool spins) {
  ort::Options* options = made.options;
  std::string failed = messageOf(ort::setIntraOpThreads(options, threads));
  if (failed.empty()) failed = messageOf(ort::setInterOpThreads(options, 1));
  if (failed.empty()) failed = messageOf(ort::setOptimizationLevel(options, ort::ALL_OPTIMIZATIONS));
  if (failed.empty()) failed = messageOf(ort::setLogSeverityLevel(options, ort::LOG_ERRORS));
  if (failed.empty()) failed = messageOf(ort::disableMemPattern(options));
  if (failed.empty() && !spins) failed = messageOf(ort::addConfigEntry(options, "session.intra_op.allow_spinning", "0"));
  return failed;
}

/** createSession(model, { threads, spinning, kernel }): a handle. */
napi_value createSession(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  if (version == nullptr) return fail(env, "ONNX Runtime is not loaded");
  const std::string name = textOf(env, property(env, given[1], "kernel"));
  const Kernel* kernel = findKernel(name.empty() ? nullptr : name.c_str());
  if (kernel == nullptr) return fail(env, "this processor has no bf16 products");
  bool spins = true;
  napi_get_value_bool(env, property(env, given[1], "spinning"), &spins);
  void* model = nullptr;
  size_t length = 0;
  if (!bytesOf(env, given[0], &model, &length)) return fail(env, "a model's bytes were expected");

  auto open = std::make_unique<OpenSession>();
  Options options;
  std::string failed = messageOf(ort::createSessionOptions(&options.options));
  if (failed.empty()) failed = configure(options, numberOf(env, property(env, given[1], "threads")), spins);
  if (failed.empty()) {
    ort::Status* status = nullptr;
    open->operators = addOperators(options.options, kernel, numberOf(env, property(env, given[1], "threads")), &status);
    failed = messageOf(status);
  }
  if (failed.empty()) failed = messageOf(ort::createSessionFromArray(environment, model, length, options.options, &open->session));
  if (failed.empty()) failed = namesOf(open->session, true, open->inputs);
  if (failed.empty()) failed = namesOf(open->session, false, open->outputs);
  if (!failed.empty()) return fail(env, failed);

  napi_value handle, result, names;
  OpenSession* session = open.release();
  napi_create_external(env, session, [](napi_env, void* data, void*) { delete static_cast<OpenSession*>(data); }, nullptr, &handle);
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "handle", handle);
  for (const bool inputs : {true, false}) {
    const auto& list = inputs ? session->inputs : session->outputs;
    napi_create_array_with_length(env, list.size(), &names);
    for (size_t i = 0; i < list.size(); i++) napi_set_element(env, names, static_cast<uint32_t>(i), textValue(env, list[i]));
    napi_set_named_property(env, result, inputs ? "inputNames" : "outputNames", names);
  }
  return result;
}

struct Run {
  OpenSession* session;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  /** What must not be collected meanwhile: the session's handle and the arrays. */
  std::vector<napi_ref> kept;
  std::vector<ort::Value*> inputs, outputs;
  std::vector<bool> isGiven;
  std::string failed;

  ~Run() {
    for (ort::Value* value : inputs) if (value != nullptr) ort::releaseValue(value);
    for (ort::Value* value : outputs) if (value != nullptr) ort::releaseValue(value);
  }
};

/** A tensor on a typed array's memory: { type, dims, data }. */
std::string tensorOf(napi_env env, napi_value given, Run& run, ort::Value** made) {
  napi_value dims = property(env, given, "dims"), data = property(env, given, "data");
  uint32_t rank = 0;
  void* bytes = nullptr;
  size_t length = 0;
  if (napi_get_array_length(env, dims, &rank) != napi_ok || !bytesOf(env, data, &bytes, &length)) return "a tensor has no shape or no data";
  std::vector<int64_t> shape(rank);
  for (uint32_t i = 0; i < rank; i++) {
    napi_value dimension;
    napi_get_element(env, dims, i, &dimension);
    napi_get_value_int64(env, dimension, &shape[i]);
  }
  napi_ref kept;
  napi_create_reference(env, data, 1, &kept);
  run.kept.push_back(kept);
  // An empty array has no memory: any address serves.
  static char nothing[64];
  return messageOf(ort::createTensor(memory, bytes != nullptr ? bytes : nothing, length, shape.data(), shape.size(), numberOf(env, property(env, given, "type")), made));
}

void execute(napi_env, void* data) {
  Run& run = *static_cast<Run*>(data);
  std::vector<const char*> inputs, outputs;
  for (const std::string& name : run.session->inputs) inputs.push_back(name.c_str());
  for (const std::string& name : run.session->outputs) outputs.push_back(name.c_str());
  run.failed = messageOf(ort::run(run.session->session, nullptr, inputs.data(), run.inputs.data(), inputs.size(), outputs.data(), outputs.size(), run.outputs.data()));
}

/** What ONNX Runtime made: { type, dims, buffer }, copied. */
napi_value made(napi_env env, ort::Value* value, std::string& failed) {
  ort::Shape* shape = nullptr;
  failed = messageOf(ort::getShape(value, &shape));
  if (!failed.empty()) return nullptr;
  size_t rank = 0, count = 0;
  int type = 0;
  void* data = nullptr;
  messageOf(ort::dimensionCount(shape, &rank));
  std::vector<int64_t> dims(rank);
  messageOf(ort::dimensions(shape, dims.data(), rank));
  messageOf(ort::elementCount(shape, &count));
  messageOf(ort::elementType(shape, &type));
  ort::releaseShape(shape);
  failed = messageOf(ort::getData(value, &data));
  if (!failed.empty()) return nullptr;
  // FLOAT 1, UINT8 2, INT8 3, UINT16 4, INT32 6, INT64 7, BOOL 9, FLOAT16 10, BFLOAT16 16
  const size_t bytes = count * (type == 7 ? 8 : type == 1 || type == 6 ? 4 : type == 4 || type == 10 || type == 16 ? 2 : 1);
  napi_value result, list, buffer, number;
  void* to = nullptr;
  if (napi_create_arraybuffer(env, bytes, &to, &buffer) != napi_ok) {
    failed = "no memory for an output of " + std::to_string(bytes) + " bytes";
    return nullptr;
  }
  if (bytes > 0) std::memcpy(to, data, bytes);
  napi_create_object(env, &result);
  napi_create_array_with_length(env, rank, &list);
  for (size_t i = 0; i < rank; i++) {
    napi_create_int64(env, dims[i], &number);
    napi_set_element(env, list, static_cast<uint32_t>(i), number);
  }
  napi_create_int32(env, type, &number);
  napi_set_named_property(env, result, "type", number);
  napi_set_named_property(env, result, "dims", list);
  napi_set_named_property(env, result, "buffer", buffer);
  return result;
}

void complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<Run> run(static_cast<Run*>(data));
  for (napi_ref kept : run->kept) napi_delete_reference(env, kept);
  napi_delete_async_work(env, run->work);
  napi_value result, null, error;
  napi_get_null(env, &null);
  napi_create_array_with_length(env, run->outputs.size(), &result);
  for (size_t i = 0; run->failed.empty() && i < run->outputs.size(); i++)
    napi_set_element(env, result, static_cast<uint32_t>(i), run->isGiven[i] ? null : made(env, run->outputs[i], run->failed));
  if (--run->session->running == 0 && run->session->closed) run->session->release();
  if (run->failed.empty()) {
    napi_resolve_deferred(env, run->deferred, result);
  } else {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (pending) napi_get_and_clear_last_exception(env, &error);
    napi_create_error(env, nullptr, textValue(env, run->failed), &error);
    napi_reject_deferred(env, run->deferred, error);
  }
}

/** run(handle, inputs, outputs): tensors in the order of the session's names; an output that is null is made. A promise of those. */
napi_value runSession(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3];
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  void* session = nullptr;
  if (!check(env, napi_get_value_external(env, given[0], &session))) return nullptr;
  auto run = std::make_unique<Run>();
  run->session = static_cast<OpenSession*>(session);
  if (run->session->closed) return fail(env, "the session is closed");
  napi_ref kept;
  napi_create_reference(env, given[0], 1, &kept);
  run->kept.push_back(kept);
  std::string failed;
  const auto read = [&](napi_value list, size_t length, std::vector<ort::Value*>& values, bool mayLack) {
    for (uint32_t i = 0; failed.empty() && i < length; i++) {
      napi_value item = nullptr;
      napi_valuetype type = napi_undefined;
      napi_get_element(env, list, i, &item);
      napi_typeof(env, item, &type);
      values.push_back(nullptr);
      if (mayLack) run->isGiven.push_back(type == napi_object);
      if (type == napi_object) failed = tensorOf(env, item, *run, &values.back());
      else if (!mayLack) failed = "an input was not given";
    }
  };
  read(given[1], run->session->inputs.size(), run->inputs, false);
  read(given[2], run->session->outputs.size(), run->outputs, true);
  napi_value promise, name = textValue(env, "rag-ft bf16 run");
  if (!failed.empty()) {
    for (napi_ref one : run->kept) napi_delete_reference(env, one);
    return fail(env, failed);
  }
  napi_create_promise(env, &run->deferred, &promise);
  run->session->running++;
  Run* data = run.release();
  napi_create_async_work(env, nullptr, name, execute, complete, data, &data->work);
  napi_queue_async_work(env, data->work);
  return promise;
}

napi_value closeSession(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given[1];
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  void* data = nullptr;
  if (!check(env, napi_get_value_external(env, given[0], &data))) return nullptr;
  auto* session = static_cast<OpenSession*>(data);
  session->closed = true;
  if (session->running == 0) session->release();
  return nullptr;
}

napi_value start(napi_env env, napi_value exports) {
  if (version == nullptr) {
    version = ort::connect();
    if (version != nullptr) {
      std::string failed = messageOf(ort::createEnv(ort::LOG_ERRORS, "rag-ft", &environment));
      // An allocator of the device, memory of the default kind: the machine's.
      if (failed.empty()) failed = messageOf(ort::createCpuMemoryInfo(0, 0, &memory));
      if (!failed.empty()) return fail(env, failed);
    }
  }
  const napi_property_descriptor functions[] = {
      {"capabilities", nullptr, capabilities, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"createSession", nullptr, createSession, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"run", nullptr, runSession, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, closeSession, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, start)

#include "ort.h"
#include <initializer_list>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace ort {

void* const* table = nullptr;

namespace {
const Base* (*findLibrary())() {
#ifdef _WIN32
  HMODULE library = GetModuleHandleA("onnxruntime.dll");
  if (library == nullptr) return nullptr;
  return reinterpret_cast<const Base* (*)()>(GetProcAddress(library, "OrtGetApiBase"));
#else
  for (const char* name : {"libonnxruntime.so.1", "libonnxruntime.so", "libonnxruntime.dylib"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) continue;
    if (void* found = dlsym(library, "OrtGetApiBase")) return reinterpret_cast<const Base* (*)()>(found);
  }
  return nullptr;
#endif
}
}  // namespace

const char* connect() {
  const auto getBase = findLibrary();
  if (getBase == nullptr) return nullptr;
  const Base* base = getBase();
  table = static_cast<void* const*>(base->getApi(VERSION));
  return table == nullptr ? nullptr : base->getVersion();
}

}  // namespace ort

/** Of Node: a file or package that is not there, and a library that the system does not load. */
const LOADING = new Set(["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND", "ERR_DLOPEN_FAILED"]);

/**
 * What to do where ONNX Runtime's library does not load, in a sentence for people; undefined for any other error.
 * onnxruntime-node 1.30 comes with libraries for the systems that are named; its install script only adds CUDA's.
 */
export function engineFailure(error: unknown): string | undefined {
  if (!(error instanceof Error) || !LOADING.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
  if (!/onnxruntime/.test(`${error.message}\n${error.stack ?? ""}`)) return undefined;
  const reason = error.message.split("\n")[0]?.replace(/\.$/, "");
  return (
    `ONNX Runtime does not load on this machine (${process.platform} ${process.arch}): ${reason}. onnxruntime-node has libraries for Linux with glibc and for Windows ` +
    "(x64, arm64), and for macOS (arm64), not for Alpine's musl. On one of these, delete node_modules and install anew on this very machine."
  );
}

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findCudaLibraries } from "./cuda-libraries.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-cuda-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** An empty file of each name, in a folder of this name. */
async function folderOf(name: string, files: readonly string[], content = ""): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeFile(join(folder, file), content);
  return folder;
}

const OWN = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];
const files = ({ missing }: { missing: { file: string }[] }): string[] => missing.map(({ file }) => file);

// Names with a suffix of their own: whether this machine has CUDA makes no difference.
const LINKED = ["libcudart.so.9913", "libcublas.so.9913", "libcuda.so.991"];

it("names ONNX Runtime's own libraries and those of CUDA, with the wheels that have them", async () => {
  const found = await findCudaLibraries({}, await folderOf("empty", []));
  expect(files(found).slice(0, 2)).toEqual(OWN);
  expect(found.missing[0]?.from).toBe("onnxruntime-gpu");
  for (const { file, from } of found.missing.slice(2)) {
    expect(file).toMatch(/^lib(cuda\.so\.1|cudart\.so\.13|cublas(Lt)?\.so\.13|curand\.so\.10)$/);
    expect(from).toMatch(/^(nvidia-(cuda-runtime|cublas|curand)|NVIDIA's driver)$/);
  }
});

it("asks a provider that is there what it links to, and looks along LD_LIBRARY_PATH", async () => {
  const folder = await folderOf("runtime", OWN, `\0${LINKED.join("\0")}\0libc.so.6\0`);
  const first = await folderOf("first", LINKED.slice(0, 1));
  const second = await folderOf("second", LINKED.slice(1));
  expect(files(await findCudaLibraries({}, folder))).toEqual(LINKED);
  expect(files(await findCudaLibraries({ LD_LIBRARY_PATH: first }, folder))).toEqual(LINKED.slice(1));
  expect(files(await findCudaLibraries({ LD_LIBRARY_PATH: `${first}:${second}` }, folder))).toEqual([]);
});

it("looks for ONNX Runtime's libraries beside its own", async () => {
  const { folder } = await findCudaLibraries({});
  expect(folder).toMatch(/onnxruntime-node.bin.napi-v6.linux.x64$/);
});

import { writeChunksAtomic } from "@rag-ft/core";

// GGUF version 3 (ggml's docs/gguf.md): magic, counts, metadata, tensor infos, then the data, each tensor at a multiple of 32 bytes.

const VERSION = 3;
const ALIGNMENT = 32;

/** Numbers of ggml's types. */
const TENSOR_TYPE = { F32: 0, F16: 1, Q8_0: 8 } as const;
export type GgufType = keyof typeof TENSOR_TYPE;

const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8 } as const;
const ARRAY = 9;

/** A value of the metadata, with its type. */
export type GgufValue =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { string: string }
  | { strings: readonly string[] }
  | { i32s: readonly number[] }
  | { f32s: readonly number[] };

/** A tensor to be written. */
export interface GgufTensor {
  name: string;
  /** Row-major, as PyTorch has it; the file lists it the other way round. */
  shape: readonly number[];
  type: GgufType;
  /** Its bytes, made when they are written. */
  read(): Uint8Array;
}

/** Bytes of so many numbers. */
function byteLength({ shape, type }: GgufTensor): number {
  const count = shape.reduce((a, b) => a * b, 1);
  if (type === "Q8_0") return (count / 32) * 34;
  return count * (type === "F16" ? 2 : 4);
}

class Bytes {
  private readonly parts: Buffer[] = [];
  length = 0;

  add(part: Buffer): void {
    this.parts.push(part);
    this.length += part.length;
  }

  u32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.add(part);
  }

  u64(value: number): void {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    this.add(part);
  }

  string(value: string): void {
    const text = Buffer.from(value);
    this.u64(text.length);
    this.add(text);
  }

  numbers(values: readonly number[], as: "i32" | "f32"): void {
    const array = as === "i32" ? Int32Array.from(values) : Float32Array.from(values);
    this.u32(ARRAY);
    this.u32(VALUE_TYPE[as]);
    this.u64(values.length);
    this.add(Buffer.from(array.buffer));
  }

  value(value: GgufValue): void {
    if ("u32" in value) {
      this.u32(VALUE_TYPE.u32);
      this.u32(value.u32);
    } else if ("f32" in value) {
      this.u32(VALUE_TYPE.f32);
      this.add(Buffer.from(Float32Array.of(value.f32).buffer));
    } else if ("bool" in value) {
      this.u32(VALUE_TYPE.bool);
      this.add(Buffer.of(value.bool ? 1 : 0));
    } else if ("string" in value) {
      this.u32(VALUE_TYPE.string);
      this.string(value.string);
    } else if ("strings" in value) {
      this.u32(ARRAY);
      this.u32(VALUE_TYPE.string);
      this.u64(value.strings.length);
      for (const text of value.strings) this.string(text);
    } else if ("i32s" in value) this.numbers(value.i32s, "i32");
    else this.numbers(value.f32s, "f32");
  }

  align(): void {
    this.add(Buffer.alloc(aligned(this.length) - this.length));
  }

  whole(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function header(metadata: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Buffer {
  const bytes = new Bytes();
  bytes.add(Buffer.from("GGUF"));
  bytes.u32(VERSION);
  bytes.u64(tensors.length);
  bytes.u64(metadata.size);
  for (const [key, value] of metadata) {
    bytes.string(key);
    bytes.value(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    bytes.string(tensor.name);
    bytes.u32(tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) bytes.u64(size);
    bytes.u32(TENSOR_TYPE[tensor.type]);
    bytes.u64(offset);
    offset += aligned(byteLength(tensor));
  }
  bytes.align();
  return bytes.whole();
}

function* chunks(metadata: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Generator<Uint8Array> {
  yield header(metadata, tensors);
  for (const tensor of tensors) {
    const data = tensor.read();
    yield data;
    yield new Uint8Array(aligned(data.length) - data.length);
  }
}

/** Writes a GGUF file, whole or not at all, one tensor after the other. */
export async function writeGgufFile(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  await writeChunksAtomic(path, chunks(metadata, tensors));
}

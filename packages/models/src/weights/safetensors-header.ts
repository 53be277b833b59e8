import type { FileHandle } from "node:fs/promises";
import { DataError, describeIssues } from "@rag-ft/core";
import { z } from "zod";
import { elementCount } from "./weight-tensor.js";

// Format: 8 bytes header length N (little-endian), N bytes JSON {name: {dtype, shape, data_offsets}}, then the data, which the
// tensors cover without gap or overlap. https://github.com/huggingface/safetensors#format

/** The format's own limit; it keeps a file that is something else from being read as one huge header. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bytes of an element, for the types the format knows. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

export interface SafetensorsEntry {
  name: string;
  dtype: string;
  shape: number[];
  /** First byte in the file, counted from the file's start. */
  start: number;
  bytes: number;
}

const index = z.number().int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(index),
  data_offsets: z.tuple([index, index]),
});

function parseEntry(path: string, name: string, value: unknown): SafetensorsEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    throw new DataError(`${path}: tensor ${name}: malformed header entry: ${describeIssues(parsed.error)}.`, {
      cause: parsed.error,
    });
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const elementBytes = ELEMENT_BYTES[dtype];
  if (elementBytes === undefined) {
    throw new DataError(
      `${path}: tensor ${name}: unknown dtype ${dtype}, expected one of ${Object.keys(ELEMENT_BYTES).join(", ")}.`,
    );
  }
  const bytes = offsets[1] - offsets[0];
  const expected = elementCount(shape) * elementBytes;
  if (bytes !== expected) {
    throw new DataError(
      `${path}: tensor ${name}: ${bytes} bytes at offsets ${offsets.join(" to ")}, expected ${expected} for ${dtype} ` +
        `of shape [${shape.join(", ")}].`,
    );
  }
  return { name, dtype, shape, start: offsets[0], bytes };
}

/** Every byte of the data belongs to exactly one tensor: what the format demands, and what a cut or spliced file breaks. */
function checkCoverage(path: string, entries: readonly SafetensorsEntry[], dataBytes: number): void {
  let end = 0;
  let before = "the header";
  for (const { name, start, bytes } of entries) {
    if (start !== end) {
      const problem = start < end ? "overlaps" : "leaves a gap after";
      throw new DataError(
        `${path}: tensor ${name}: starts at ${start} and ${problem} ${before}, which ends at ${end}.`,
      );
    }
    end = start + bytes;
    before = `tensor ${name}`;
    if (end > dataBytes) {
      throw new DataError(
        `${path}: tensor ${name}: ends at byte ${end} of the data, but the file holds ${dataBytes}. ` +
          "The file is cut short: download or copy it again.",
      );
    }
  }
  if (end !== dataBytes) {
    throw new DataError(`${path}: ${dataBytes} bytes of data, but its tensors end at ${end}.`);
  }
}

/** Reads and checks the header; entries come in the order of their data. */
export async function readSafetensorsHeader(path: string, file: FileHandle): Promise<SafetensorsEntry[]> {
  const fileBytes = (await file.stat()).size;
  const lengthBytes = Buffer.alloc(8);
  const { bytesRead } = await file.read(lengthBytes, 0, 8, 0);
  if (bytesRead < 8)
    throw new DataError(`${path}: ${fileBytes} bytes, expected a safetensors file (8 bytes at least).`);
  const length = lengthBytes.readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const found = lengthBytes.toString("latin1").startsWith("version ")
      ? " (a Git LFS pointer: run `git lfs pull`)"
      : "";
    throw new DataError(
      `${path}: declares a header of ${length} bytes, expected at most ${MAX_HEADER_BYTES}. Not a safetensors file${found}.`,
    );
  }
  const headerBytes = Number(length);
  if (8 + headerBytes > fileBytes) {
    throw new DataError(
      `${path}: declares a header of ${headerBytes} bytes, but the file holds ${fileBytes}. ` +
        "The file is cut short: download or copy it again.",
    );
  }
  const header = Buffer.alloc(headerBytes);
  await file.read(header, 0, headerBytes, 8);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (cause) {
    throw new DataError(`${path}: the header is not valid JSON (${(cause as Error).message}).`, { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new DataError(`${path}: the header is not a JSON object of tensors.`);
  }
  const entries = Object.entries(json)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseEntry(path, name, value))
    .sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  checkCoverage(path, entries, fileBytes - 8 - headerBytes);
  return entries.map((entry) => ({ ...entry, start: entry.start + 8 + headerBytes }));
}

import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";
import type { HalfType } from "./half-weight.js";
import { readSafetensorsContent } from "./read-safetensors.js";
import type { WeightTensor } from "./weight-tensor.js";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

const shardIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const found =
      code === "ENOTDIR" ? "this is a file" : code === "ENOENT" ? "no such folder" : `not readable (${code})`;
    throw new UserError(`${folder}: ${found}. Expected a model folder with config.json and ${SINGLE}.`, { cause });
  }
}

/** What to do about a folder without safetensors, by what it holds instead. */
function explainMissing(folder: string, names: readonly string[]): string {
  const has = (pattern: RegExp): string | undefined => names.find((name) => pattern.test(name));
  const pytorch = has(/^pytorch_model.*\.bin(\.index\.json)?$/) ?? has(/\.(pth?|bin)$/);
  if (pytorch !== undefined) {
    return (
      `It holds ${pytorch}, which is a pickle and is not read. Convert it once with Python: ` +
      "from transformers import AutoModel; AutoModel.from_pretrained(folder).save_pretrained(folder, " +
      "safe_serialization=True) (for a generator AutoModelForCausalLM)."
    );
  }
  const other = has(/\.(gguf|h5|msgpack|onnx)$/) ?? (names.includes("onnx") ? "onnx/" : undefined);
  if (other !== undefined) return `It holds ${other}, which cannot be trained: give the original safetensors model.`;
  const shard = has(/\.safetensors$/);
  if (shard !== undefined) return `It holds ${shard} but no ${INDEX}, which says what is in each part.`;
  const listed = names.slice(0, 8).join(", ");
  return names.length === 0
    ? "It is empty."
    : `It holds ${listed}${names.length > 8 ? ", …" : ""}: is this a model folder? (${folder})`;
}

async function loadShards(
  folder: string,
  present: readonly string[],
  matrices: HalfType | undefined,
): Promise<Map<string, WeightTensor>> {
  const path = join(folder, INDEX);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  const parsed = shardIndex.safeParse(json);
  if (!parsed.success) {
    throw new DataError(`${path}: not an index of shards: ${describeIssues(parsed.error)}.`, { cause: parsed.error });
  }
  const expected = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(parsed.data.weight_map)) {
    if (basename(shard) !== shard || !shard.endsWith(".safetensors")) {
      throw new DataError(
        `${path}: tensor ${name}: names the part ${JSON.stringify(shard)}, expected a file of the same folder.`,
      );
    }
    expected.set(shard, [...(expected.get(shard) ?? []), name]);
  }
  const missing = [...expected.keys()].filter((shard) => !present.includes(shard));
  if (missing.length > 0) {
    throw new UserError(
      `${folder}: ${missing.length} of the ${expected.size} parts named in ${INDEX} are missing: ` +
        `${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ", …" : ""}. Download the model again.`,
    );
  }
  const weights = new Map<string, WeightTensor>();
  for (const [shard, names] of expected) {
    const { tensors, passedOver } = await readSafetensorsContent(join(folder, shard), matrices);
    for (const [name, tensor] of tensors) {
      if (parsed.data.weight_map[name] === shard) weights.set(name, tensor);
    }
    const absent = names.find((name) => !tensors.has(name) && !passedOver.has(name));
    if (absent !== undefined) {
      throw new DataError(`${join(folder, shard)}: tensor ${absent} is not there, although ${INDEX} says so.`);
    }
  }
  return weights;
}

/**
 * All weights of a model folder in single precision: `model.safetensors`, or the parts that `model.safetensors.index.json`
 * names. With `matrices`, those of two dimensions stay in 16 bits (`HalfWeight`).
 *
 * @throws UserError when the folder or its weights are missing (saying what it holds instead), DataError when a file is
 * malformed.
 */
export async function loadWeights(folder: string, matrices?: HalfType): Promise<Map<string, WeightTensor>> {
  const names = await listFolder(folder);
  if (names.includes(SINGLE)) return (await readSafetensorsContent(join(folder, SINGLE), matrices)).tensors;
  if (names.includes(INDEX)) return loadShards(folder, names, matrices);
  throw new UserError(`${folder}: no ${SINGLE} and no ${INDEX}. ${explainMissing(folder, names)}`);
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readJsonIfThere, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import { weightsDigest } from "../weights/weights-digest.js";

/** Which safetensors `onnx/model.onnx` was made of. */
const RECORD = "rag_ft_onnx.json";
const recordSchema = z.object({ safetensors: z.string() });

/** Notes that the folder's ONNX graph was made of its safetensors. */
export async function recordWeights(folder: string): Promise<void> {
  await writeJsonAtomic(join(folder, RECORD), { safetensors: await weightsDigest(folder) });
}

async function recorded(folder: string): Promise<string | undefined> {
  const problem = "not a record of an export. Remove it and the folder onnx, which is made anew.";
  return (await readJsonIfThere(join(folder, RECORD), recordSchema, problem))?.safetensors;
}

async function changedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

export type OnnxState = "absent" | "current" | "stale" | "older";

/**
 * How `onnx/model.onnx` of a folder stands to the weights beside it: `stale` when it was made of others, `older` when it is of unknown making
 * and safetensors came after it. Without safetensors it is all there is: `current`.
 */
export async function onnxState(folder: string): Promise<OnnxState> {
  const graph = await changedAt(join(folder, "onnx", "model.onnx"));
  if (graph === undefined) return "absent";
  const digest = await weightsDigest(folder);
  if (digest === undefined) return "current";
  const from = await recorded(folder);
  if (from !== undefined) return from === digest ? "current" : "stale";
  const weights = (await changedAt(join(folder, "model.safetensors"))) ?? 0;
  return weights <= graph ? "current" : "older";
}

import { readdir } from "node:fs/promises";
import { resolve } from "node:path";

/** What a training leaves, whole or not. */
const TRAINED = /^(checkpoint-\d+.*|train\.jsonl|choice\.json|.*\.safetensors)$/;

/**
 * Where a run that only evaluates writes its figures. In the folder of a training they would take the place of its logs, choice and record, and
 * would make it look changed: they go to one beside it.
 */
export async function measuringFolder(output: string): Promise<string> {
  const names = await readdir(output).catch(() => []);
  return names.some((name) => TRAINED.test(name)) ? `${resolve(output)}-evaluation` : output;
}

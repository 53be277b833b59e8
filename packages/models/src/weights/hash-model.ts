import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashWeight } from "./hash-weight.js";
import type { WeightTensor } from "./weight-tensor.js";

/** SHA-256 of a model: its configuration, its tokenizer and the weights in memory, in hexadecimal. */
export async function hashModel(folder: string, weights: ReadonlyMap<string, WeightTensor>): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["config.json", "tokenizer.json"]) hash.update(await readFile(join(folder, name)));
  for (const [name, { data }] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) hashWeight(hash, name, data);
  return hash.digest("hex");
}

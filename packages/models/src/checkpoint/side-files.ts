import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError, writeFileAtomic } from "@rag-ft/core";
import { editedJson } from "./edit-json.js";

const TOKENIZER_FILES: ReadonlySet<string> = new Set([
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "merges.txt",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "vocab.json",
  "vocab.txt",
]);

/** Whether a file of a model folder belongs to its tokenizer. */
export function isTokenizerFile(name: string): boolean {
  return TOKENIZER_FILES.has(name);
}

/** Whether a file is one that goes along with the weights unchanged: configuration and tokenizer. */
export function isSideFile(name: string): boolean {
  return name === "config.json" || name === "generation_config.json" || isTokenizerFile(name);
}

/** `config.json` with the number type it states set to that of the new weights: Python would load them as the old type. */
function withDtype(path: string, text: string, dtype: string): string {
  return editedJson(path, text, (config) => {
    const changed: Record<string, unknown> = { ...config };
    for (const key of ["torch_dtype", "dtype"]) if (key in changed) changed[key] = dtype;
    return changed;
  });
}

/**
 * Copies configuration and tokenizer files of a model folder to a checkpoint. `dtype` is the type of the checkpoint's
 * weights (default float32, what `writeSafetensors` writes), which config.json then states. Returns the names copied.
 *
 * @throws UserError when `from` is no model folder.
 */
export async function copyModelSideFiles(
  from: string,
  to: string,
  options: { dtype?: "float32" | "float16" } = {},
): Promise<string[]> {
  const names = (await readdir(from).catch(() => [])).filter((name) => isSideFile(name)).sort();
  if (!names.includes("config.json")) {
    throw new UserError(`${from}: no config.json there, expected a model folder.`);
  }
  for (const name of names) {
    const path = join(from, name);
    const bytes = await readFile(path);
    const dtype = options.dtype ?? "float32";
    await writeFileAtomic(join(to, name), name === "config.json" ? withDtype(path, bytes.toString(), dtype) : bytes);
  }
  return names;
}

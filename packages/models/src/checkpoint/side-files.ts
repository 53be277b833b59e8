import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, UserError, writeFileAtomic } from "@rag-ft/core";

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
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new DataError(`${path}: expected a JSON object.`);
  }
  const changed: Record<string, unknown> = { ...config };
  for (const key of ["torch_dtype", "dtype"]) if (key in changed) changed[key] = dtype;
  return `${JSON.stringify(changed, null, 2)}\n`;
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

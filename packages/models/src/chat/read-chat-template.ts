import { join } from "node:path";
import { DataError, describeIssues, readTextIfThere } from "@rag-ft/core";
import { z } from "zod";

/** A template's file of its own; transformers takes it before the others. */
export const TEMPLATE_FILE = "chat_template.jinja";
/** What older folders of processors have. */
export const TEMPLATE_JSON = "chat_template.json";
export const TOKENIZER_CONFIG = "tokenizer_config.json";

const template = z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish();
const holder = z.looseObject({ chat_template: template });

/** The template of a JSON file; of several by name, that named `default`. */
async function templateIn(path: string): Promise<string | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}). Download the file again.`, { cause });
  }
  const parsed = holder.safeParse(value);
  if (!parsed.success) {
    throw new DataError(`${path}: expected a JSON object: ${describeIssues(parsed.error)}.`, { cause: parsed.error });
  }
  const found = parsed.data.chat_template ?? undefined;
  if (!Array.isArray(found)) return found;
  const chosen = found.find(({ name }) => name === "default") ?? (found.length === 1 ? found[0] : undefined);
  if (chosen === undefined && found.length > 0) {
    const names = found.map(({ name }) => name).join(", ");
    throw new DataError(`${path}: chat_template has ${names}, expected one named default. Name one of them so.`);
  }
  return chosen?.template;
}

/**
 * The chat template of a model folder (Jinja): `chat_template.jinja`, `chat_template` of `tokenizer_config.json`, or
 * `chat_template.json`; undefined when it has none.
 *
 * @throws DataError when a file is malformed.
 */
export async function readChatTemplate(folder: string): Promise<string | undefined> {
  const source =
    (await readTextIfThere(join(folder, TEMPLATE_FILE))) ??
    (await templateIn(join(folder, TOKENIZER_CONFIG))) ??
    (await templateIn(join(folder, TEMPLATE_JSON)));
  return source === undefined || source.trim() === "" ? undefined : source;
}

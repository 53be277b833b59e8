import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readTextIfThere, writeFileAtomic, writeJsonAtomic } from "@rag-ft/core";
import { editedJson } from "../checkpoint/edit-json.js";
import { TEMPLATE_FILE, TEMPLATE_JSON, TOKENIZER_CONFIG } from "./read-chat-template.js";

/** Changes a file that holds a JSON object, or begins it. */
async function editOrBegin(
  path: string,
  edit: (value: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): Promise<void> {
  const text = await readTextIfThere(path);
  if (text === undefined) await writeJsonAtomic(path, edit({}));
  else await writeFileAtomic(path, editedJson(path, text, edit));
}

/** Gives a model folder this chat template, in the place of all that it had. */
export async function writeChatTemplate(folder: string, source: string): Promise<void> {
  await editOrBegin(join(folder, TOKENIZER_CONFIG), (config) => ({ ...config, chat_template: source }));
  for (const name of [TEMPLATE_FILE, TEMPLATE_JSON]) await rm(join(folder, name), { force: true });
}

/** Has whoever reads the folder's `generation_config.json` end an answer at these tokens, too. */
export async function addStopTokens(folder: string, ids: readonly number[]): Promise<void> {
  const path = join(folder, "generation_config.json");
  const known: unknown[] = [];
  for (const file of [path, join(folder, "config.json")]) {
    const settings = JSON.parse((await readTextIfThere(file)) ?? "{}") as Record<string, unknown>;
    if (known.length === 0) known.push(...[settings.eos_token_id ?? []].flat());
  }
  const missing = ids.filter((id) => !known.includes(id));
  if (missing.length > 0)
    await editOrBegin(path, (settings) => ({ ...settings, eos_token_id: [...known, ...missing] }));
}

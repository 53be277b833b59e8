import { stat } from "node:fs/promises";
import { UserError } from "@rag-ft/core";

/** Names of OpenAI's chat models. */
const OPENAI_NAME = /^(gpt-|chatgpt-|o\d)/;
/** `org/name`, as the hub has it. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** Where a generator is found. */
export type GeneratorName = { kind: "local"; folderOrId: string } | { kind: "openai"; model: string };

/**
 * Tells local models from those behind the OpenAI API: `local:` and `openai:` decide; then a folder that exists is local, a
 * name like `gpt-…` is OpenAI's, `org/name` is a hub id, and any other bare name belongs to the server at OPENAI_BASE_URL.
 */
export async function resolveGeneratorName(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GeneratorName> {
  if (name.startsWith("local:")) return { kind: "local", folderOrId: name.slice("local:".length) };
  if (name.startsWith("openai:")) return { kind: "openai", model: name.slice("openai:".length) };
  if (await isFolder(name)) return { kind: "local", folderOrId: name };
  if (OPENAI_NAME.test(name)) return { kind: "openai", model: name };
  if (HUB_ID.test(name) && !name.startsWith(".")) return { kind: "local", folderOrId: name };
  if (env.OPENAI_BASE_URL && !name.includes("/")) return { kind: "openai", model: name };
  throw new UserError(
    `${name}: no such folder, and not a model's name. Expected a folder with a decoder, a hub id (org/name), a model of ` +
      "OpenAI (gpt-…), or, with OPENAI_BASE_URL set, a model of that server (openai:<name> forces it).",
  );
}

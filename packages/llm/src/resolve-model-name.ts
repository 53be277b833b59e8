import { stat } from "node:fs/promises";
import { UserError } from "@rag-ft/core";
import { connectAll } from "./openai/server.js";

/** Names of OpenAI's chat models. */
const OPENAI_NAME = /^(gpt-|chatgpt-|o\d)/;
/** `org/name`, as the hub has it. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;
/** How long a server may take to list its models. */
const LIST_MS = 5_000;

type Env = Readonly<Record<string, string | undefined>>;

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** Whether a name without a prefix is `org/name` of the hub, and no folder here. */
export async function isHubId(name: string): Promise<boolean> {
  return HUB_ID.test(name) && !name.startsWith(".") && !(await isFolder(name));
}

/** Lists that were asked for, by address: every stage and every side of a comparison asks for the same. */
const listed = new Map<string, Promise<ReadonlySet<string>>>();

/** The models that the first server of OPENAI_BASE_URL that answers says it has; none where none says it. */
async function servedModels(env: Env): Promise<ReadonlySet<string>> {
  const address = env.OPENAI_BASE_URL;
  if (!address) return new Set();
  const ask = async (): Promise<ReadonlySet<string>> => {
    for (const { client } of connectAll("models", env)) {
      try {
        const page = await client.models.list({ timeout: LIST_MS });
        return new Set((page.data ?? []).map(({ id }) => id));
      } catch {
        // The next one.
      }
    }
    return new Set();
  };
  const known = listed.get(address) ?? ask();
  listed.set(address, known);
  return known;
}

/** Where a model that answers is found. */
export type ModelName = { kind: "local"; folderOrId: string } | { kind: "openai"; model: string };

/**
 * Tells local models from those behind the OpenAI API, in the same way for every setting that names one: `local:` and `openai:` decide; then
 * a folder that exists is local, a name like `gpt-…` is OpenAI's, `org/name` is the server's where the one at OPENAI_BASE_URL lists it and
 * else a hub id, and any other bare name belongs to the server (OPENAI_BASE_URL, or OpenAI's own where there is a key).
 */
export async function resolveModelName(name: string, env: Env): Promise<ModelName> {
  if (name.startsWith("local:")) return { kind: "local", folderOrId: name.slice("local:".length) };
  if (name.startsWith("openai:")) return { kind: "openai", model: name.slice("openai:".length) };
  if (await isFolder(name)) return { kind: "local", folderOrId: name };
  if (OPENAI_NAME.test(name)) return { kind: "openai", model: name };
  if (await isHubId(name)) {
    return (await servedModels(env)).has(name) ? { kind: "openai", model: name } : { kind: "local", folderOrId: name };
  }
  if (!name.includes("/") && (env.OPENAI_BASE_URL || env.OPENAI_API_KEY)) return { kind: "openai", model: name };
  throw new UserError(
    `${name}: no such folder, and not a model's name. Expected a folder with a decoder, a hub id (org/name), a model of ` +
      "OpenAI (gpt-…, with OPENAI_API_KEY set), or, with OPENAI_BASE_URL set, a model of that server (openai:<name> forces it).",
  );
}

/** The name that opens the model without a further look: `local:<folder or hub id>`, or `openai:<model>`. */
export function explicitName(name: ModelName): string {
  return name.kind === "local" ? `local:${name.folderOrId}` : `openai:${name.model}`;
}

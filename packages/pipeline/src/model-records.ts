import { basename, dirname, resolve } from "node:path";
import { type ModelRecord, pathKind, serverIdentity, silentReporter } from "@rag-ft/core";
import type { SettingValues } from "./any-stage.js";
import { hashRoots, hashTree, type InputFile } from "./input-files.js";

/** Settings that name a model, on whichever stage: `model_path`, `qa_model_name_or_path`, `prompt_model`, `tokenizer`. */
const MODEL_SETTING = /(^|_)(model|tokenizer)(_|$)/;
const WEIGHTS = /\.safetensors$/;
const GRAPH = /\.onnx(_data)?$/;
const COMMIT = /^[0-9a-f]{40}$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of a model of the hub as it lies in the cache; undefined for what is no such model. Nothing is downloaded. */
async function cachedFolder(name: string, env: Environment): Promise<string | undefined> {
  const { resolveModelFolder } = await import("@rag-ft/models");
  return resolveModelFolder(name, {
    env: { ...env, HF_HUB_OFFLINE: "1" },
    reporter: silentReporter,
    files: "tokenizer",
  }).catch(() => undefined);
}

/**
 * What stands behind the models that settings name and that are no folders: the commit of a hub id in the cache, or the server of a model that
 * is asked over an API. Either may change while the name stays.
 */
export async function behindNames(values: SettingValues, env: Environment): Promise<string[]> {
  const found: string[] = [];
  for (const [setting, value] of Object.entries(values)) {
    if (!MODEL_SETTING.test(setting)) continue;
    for (const name of [value].flat()) {
      if (typeof name !== "string" || name === "" || (await pathKind(name.replace(/^local:/, ""))) === "folder")
        continue;
      const folder = await cachedFolder(name.replace(/^local:/, ""), env);
      const server = serverIdentity(env);
      if (folder !== undefined) found.push(`${setting}: ${basename(folder)}`);
      else if (server !== "") found.push(`${setting}: ${server}`);
    }
  }
  return found;
}

/** A graph beside safetensors is made from them, and perhaps by this very run: it says nothing of its own. */
function modelFiles(files: readonly InputFile[]): { all: InputFile[]; weights: InputFile[] } {
  const safetensors = files.filter(({ path }) => WEIGHTS.test(path));
  if (safetensors.length === 0) return { all: [...files], weights: files.filter(({ path }) => GRAPH.test(path)) };
  return { all: files.filter(({ path }) => !GRAPH.test(path)), weights: safetensors };
}

/** The models that settings name by folder or hub id. Folders that were inputs are as they were when the stage began. */
export async function modelRecords(
  values: SettingValues,
  inputs: readonly InputFile[],
  env: Environment,
): Promise<Record<string, ModelRecord>> {
  const records: Record<string, ModelRecord> = {};
  for (const [setting, value] of Object.entries(values)) {
    if (!MODEL_SETTING.test(setting) || typeof value !== "string" || value === "") continue;
    const name = value.replace(/^local:/, "");
    const folder = (await pathKind(name)) === "folder" ? name : await cachedFolder(name, env);
    if (folder === undefined) continue;
    const known = inputs.filter(({ root }) => resolve(root) === resolve(folder));
    const files = known.length > 0 ? known : await hashRoots([folder]);
    const { all, weights } = modelFiles(files);
    if (weights.length === 0 && setting !== "tokenizer") continue;
    const commit = basename(folder);
    records[setting] = {
      name: value,
      ...(COMMIT.test(commit) && basename(dirname(folder)) === "snapshots" ? { commit } : {}),
      sha256: hashTree(folder, all),
      weights: Object.fromEntries(weights.map(({ path, sha256 }) => [basename(path), sha256])),
    };
  }
  return records;
}

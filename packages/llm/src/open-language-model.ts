import { join } from "node:path";
import { UserError } from "@rag-ft/core";
import type { LanguageModel } from "./language-model.js";
import type { OpenLanguageModelOptions } from "./open-language-model-options.js";
import { DEFAULT_CONCURRENCY } from "./openai/billed-requests.js";
import { openOpenAiModel } from "./openai/open-openai-model.js";
import { connectAll } from "./openai/server.js";
import { DEFAULT_RETRIES } from "./requests/request-settings.js";
import { createRequestTally } from "./requests/request-tally.js";
import { isHubId, resolveModelName } from "./resolve-model-name.js";

/** The name that stands for rules instead of a model. */
export const EXTRACTIVE = "extractive";

const LOCAL_PREFIX = "local:";

/** Whether a model runs in this process. */
export function isLocalName(name: string): boolean {
  return name.startsWith(LOCAL_PREFIX);
}

/**
 * Opens a model by its name, as `resolveModelName` reads it: in this process, or over the OpenAI API (`OPENAI_API_KEY`, `OPENAI_BASE_URL`).
 * The caller closes it.
 */
export async function openLanguageModel(name: string, options: OpenLanguageModelOptions): Promise<LanguageModel> {
  if (name === "") throw new UserError("The name of the model is empty.");
  if (name === EXTRACTIVE)
    throw new UserError(
      `"${EXTRACTIVE}" is a set of rules of gen-questions and gen-answers, not a model that can be asked here. Name a model.`,
    );
  const found = await resolveModelName(name, options.env);
  if (options.requests?.batch) {
    if (found.kind === "local")
      throw new UserError(`"${name}" runs in this process: there is no Batch API to it. Leave out --batch.`);
    return openBatched(found.model, options);
  }
  if (found.kind === "openai") return openOpenAiModel(found.model, options);
  const folder = found.folderOrId;
  if (options.env.OPENAI_BASE_URL && (await isHubId(name)))
    options.reporter.info(
      `"${name}" is taken as a hub id, since the server at OPENAI_BASE_URL lists no such model (openai:${name} asks it all the same).`,
    );
  if (folder === "") throw new UserError(`"${name}": the folder or hub id after "${LOCAL_PREFIX}" is missing.`);
  // Loaded only when asked for: the runtime is large.
  const { openLocalModel } = await import("./local/open-local-model.js");
  return openLocalModel(name, folder, options);
}

/** The file beside the completions that remembers batches. */
const BATCHES_NAME = "batches.jsonl";

async function openBatched(name: string, options: OpenLanguageModelOptions): Promise<LanguageModel> {
  const { env, requests, tally, reporter, signal, folder } = options;
  if (folder === undefined) throw new UserError(`"${name}" cannot be asked in batches here. Leave out --batch.`);
  const [server, ...others] = connectAll(name, env);
  if (others.length > 0)
    throw new UserError(
      "OPENAI_BASE_URL holds several addresses, and a batch is one server's. Name one, or leave out --batch.",
    );
  const { openBatchModel } = await import("./batch/open-batch-model.js");
  return openBatchModel({
    server,
    tally: tally ?? createRequestTally(),
    journalPath: join(folder, BATCHES_NAME),
    max_retries: requests?.max_retries ?? DEFAULT_RETRIES,
    reporter,
    signal,
  });
}

/** Requests at once that suit the provider when none are named. */
export function defaultConcurrency(model: Pick<LanguageModel, "provider" | "concurrency">): number {
  if (model.concurrency !== undefined) return model.concurrency;
  return model.provider === "local" ? 1 : DEFAULT_CONCURRENCY;
}

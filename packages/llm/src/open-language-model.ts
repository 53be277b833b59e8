import { type Reporter, UserError } from "@rag-ft/core";
import type { LanguageModel } from "./language-model.js";
import { openOpenAiModel } from "./openai/open-openai-model.js";
import type { RequestSettings } from "./requests/request-settings.js";
import type { RequestTally } from "./requests/request-tally.js";

export interface OpenLanguageModelOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal;
  /** What a local model runs on: an execution provider of ONNX Runtime, the CPU by default. */
  device?: string;
  /** Budgets and retries of models that are asked over the network. */
  requests?: Pick<RequestSettings, "requests_per_minute" | "tokens_per_minute" | "max_retries"> & {
    dry_run?: boolean;
  };
  /** Counts what happens to the requests. */
  tally?: RequestTally;
}

/** The name that stands for rules instead of a model. */
export const EXTRACTIVE = "extractive";

const LOCAL_PREFIX = "local:";

/**
 * Opens a model by name: `local:<folder or hub id>` runs in this process, any other name is asked over the OpenAI API
 * (`OPENAI_API_KEY`, `OPENAI_BASE_URL`). The caller closes it.
 */
export async function openLanguageModel(name: string, options: OpenLanguageModelOptions): Promise<LanguageModel> {
  if (name === "") throw new UserError("The name of the model is empty.");
  if (name === EXTRACTIVE)
    throw new UserError(
      `"${EXTRACTIVE}" is a set of rules of gen-questions and gen-answers, not a model that can be asked here. Name a model.`,
    );
  if (!name.startsWith(LOCAL_PREFIX)) return openOpenAiModel(name, options);
  const folder = name.slice(LOCAL_PREFIX.length);
  if (folder === "") throw new UserError(`"${name}": the folder or hub id after "${LOCAL_PREFIX}" is missing.`);
  // Loaded only when asked for: the runtime is large.
  const { openLocalModel } = await import("./local/open-local-model.js");
  return openLocalModel(name, folder, options);
}

/** Requests at once that suit the provider when none are named. */
export function defaultConcurrency(model: Pick<LanguageModel, "provider">): number {
  return model.provider === "local" ? 1 : 8;
}

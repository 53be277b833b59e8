import { join } from "node:path";
import { openBill } from "./bill/bill.js";
import { openCompletionStore } from "./completion-store.js";
import { defaultConcurrency, openLanguageModel } from "./open-language-model.js";
import type { OpenLanguageModelOptions } from "./open-language-model-options.js";
import type { RequestSettings } from "./requests/request-settings.js";
import { createRequestTally } from "./requests/request-tally.js";
import { type StoredModel, withStore } from "./stored-model.js";

/** The file of a stage's output folder that keeps what models said. */
export const STORE_NAME = "completions.jsonl";

export interface OpenStoredModelOptions
  extends Pick<OpenLanguageModelOptions, "env" | "reporter" | "signal" | "device"> {
  settings: RequestSettings;
  /** The stage, for the bill. */
  purpose: string;
  /** Where completions are kept. */
  folder: string;
}

export interface OpenedStoredModel extends StoredModel {
  /** Requests at once. */
  concurrency: number;
  close(): Promise<void>;
}

/** Opens a model by name together with the store of its completions and the bill. The caller closes it. */
export async function openStoredModel(name: string, options: OpenStoredModelOptions): Promise<OpenedStoredModel> {
  const { settings, purpose, folder, ...context } = options;
  const store = await openCompletionStore(join(folder, STORE_NAME));
  const tally = createRequestTally(await openBill({ purpose, settings, store }));
  const model = await openLanguageModel(name, { ...context, requests: settings, tally, folder });
  return {
    ...withStore(model, store, tally),
    concurrency: settings.batch ? defaultConcurrency(model) : (settings.max_concurrency ?? defaultConcurrency(model)),
    async close() {
      await store.close();
      await model.close();
    },
  };
}

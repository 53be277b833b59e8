import type { z } from "zod";
import { openBill } from "../bill/bill.js";
import { isEmbeddingModelName } from "../openai/open-embedding-model.js";
import { requestSettings } from "./request-settings.js";
import { createRequestTally, type RequestTally } from "./request-tally.js";

/** The settings of a stage that asks a model behind an API for vectors alone. */
export function vectorRequestSettings() {
  const { requests_per_minute, tokens_per_minute, max_retries, max_cost, prices, dry_run } = requestSettings({
    timeout: 60,
  });
  return { requests_per_minute, tokens_per_minute, max_retries, max_cost, prices, dry_run };
}

/** What `vectorRequestSettings` gives. */
export type VectorRequestSettings = z.infer<z.ZodObject<ReturnType<typeof vectorRequestSettings>>>;

/** Counts and bills what these models are asked for; undefined where none is behind an API. */
export async function openVectorTally(
  purpose: string,
  models: readonly string[],
  settings: Pick<VectorRequestSettings, "max_cost" | "prices">,
): Promise<RequestTally | undefined> {
  if (!models.some(isEmbeddingModelName)) return undefined;
  return createRequestTally(await openBill({ purpose, settings }));
}

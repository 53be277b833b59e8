import type { PlannedRequests } from "@rag-ft/core";
import { cutInRequests } from "../openai/open-embedding-model.js";
import { countTextTokens } from "../tokens/count-tokens.js";
import { costOf, noPrice, type Prices } from "./prices.js";

export interface PlanEmbeddingsOptions {
  model: string;
  prices: Prices;
  /** Texts that are embedded together: the passages, then lists of questions. Each list begins a request of its own. */
  texts: readonly (readonly string[])[];
  /** Questions stand in for others that are not known yet: equal ones are bought all the same. */
  standIns?: boolean;
}

/** What is bought of each list: a passage once, a question once among all lists. */
function distinct([passages = [], ...questions]: readonly (readonly string[])[]): string[][] {
  const seen = new Set<string>();
  return [[...new Set(passages)], ...questions.map((list) => list.filter((text) => !seen.has(text) && seen.add(text)))];
}

/** What it would take to embed texts over the API, beside the one text that is embedded at opening. Kept vectors are not known here: a note says so. */
export async function planEmbeddings({
  model,
  prices,
  texts: given,
  standIns = false,
}: PlanEmbeddingsOptions): Promise<PlannedRequests> {
  const texts = standIns ? given : distinct(given);
  const usage = { prompt_tokens: await countTextTokens(texts.flat()), completion_tokens: 0 };
  const price = prices.of(model);
  return {
    purpose: "vectors",
    model,
    requests: texts.reduce((sum, together) => sum + cutInRequests(together).length, 1),
    from_store: 0,
    ...usage,
    ...(price ? { cost_usd: costOf(price, usage) } : {}),
    notes: [
      `Vectors of "${model}" that an index keeps are not asked for again; here all are counted.`,
      ...(price ? [] : [noPrice(model, prices)]),
    ],
  };
}

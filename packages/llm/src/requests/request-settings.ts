import { count, flag, number } from "@rag-ft/core";
import { z } from "zod";

/** Attempts after the first, where nothing else is said. */
export const DEFAULT_RETRIES = 5;

/** The settings of every stage that asks a model; a stage spreads them into its own. */
export function requestSettings({ timeout }: { timeout: number }) {
  return {
    max_concurrency: count(1)
      .optional()
      .describe(
        "Requests at once (default 8; 32 for local models, which answer them together as far as memory allows; 1 for those that transformers.js runs)",
      ),
    requests_per_minute: count(1).optional().describe("Most requests in any minute; no limit when left out"),
    tokens_per_minute: count(1)
      .optional()
      .describe("Most tokens in any minute, those of prompts and replies together; no limit when left out"),
    request_timeout: number((schema) => schema.positive())
      .default(timeout)
      .describe("Seconds before an attempt is given up and the request made again"),
    max_retries: count(0)
      .default(DEFAULT_RETRIES)
      .describe("Attempts after the first, on 429, 5xx, lost connections, time-outs and broken replies"),
    max_cost: number((schema) => schema.positive())
      .optional()
      .describe(
        "US dollars that this stage may cost, what it has paid for its folder before included; stops before it is passed",
      ),
    prices: z.string().min(1).optional().describe("Prices of models (YAML; default: those that rag-ft comes with)"),
    batch: flag()
      .default(false)
      .describe(
        "Ask through OpenAI's Batch API: at half the price, within a day; a stopped run takes its batches up again",
      ),
    structured_outputs: z
      .enum(["auto", "off"])
      .default("auto")
      .describe("Hold replies that have a form to a JSON schema where the server can, or never"),
    dry_run: flag().default(false).describe("Only say how many requests and tokens it would take, and what they cost"),
  };
}

/** What `requestSettings` gives. */
export type RequestSettings = z.infer<z.ZodObject<ReturnType<typeof requestSettings>>>;

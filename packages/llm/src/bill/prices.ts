import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DataError, requireFile } from "@rag-ft/core";
import { z } from "zod";
import { parseYamlFile } from "../parse-yaml-file.js";

const priceSchema = z.strictObject({ input: z.number().min(0), output: z.number().min(0) });

const pricesSchema = z.strictObject({
  /** When the prices were read off. */
  date: z
    .union([z.string(), z.date()])
    .transform((date) => (typeof date === "string" ? date : date.toISOString().slice(0, 10))),
  /** What the Batch API charges, as a share of the price. */
  batch: z.number().min(0).max(1),
  models: z.record(z.string(), priceSchema),
});

/** US dollars per million tokens. */
export type Price = z.infer<typeof priceSchema>;

export interface Prices {
  /** The file they stand in. */
  path: string;
  date: string;
  batch: number;
  /** Undefined when the file has none; a model in this process costs nothing. */
  of(model: string): Price | undefined;
}

const SHIPPED = fileURLToPath(new URL("../../prices.yaml", import.meta.url));

/** Reads a file of prices (YAML); `prices.yaml` of this package without a path. */
export async function readPrices(path = SHIPPED): Promise<Prices> {
  await requireFile(path, "prices of models, YAML");
  const parsed = pricesSchema.safeParse(parseYamlFile(await readFile(path, "utf8"), path));
  if (!parsed.success)
    throw new DataError(
      `${path}: not a file of prices (date, batch, models: <name>: { input, output }): ${z.prettifyError(parsed.error)}`,
      { cause: parsed.error },
    );
  const { date, batch, models } = parsed.data;
  return {
    path,
    date,
    batch,
    of: (model) =>
      model.startsWith("local:")
        ? { input: 0, output: 0 }
        : (models[model] ?? models[model.replace(/-\d{4}-\d{2}-\d{2}$/, "")]),
  };
}

/** US dollars for so many tokens. */
export function costOf(price: Price, usage: { prompt_tokens: number; completion_tokens: number }): number {
  return (usage.prompt_tokens * price.input + usage.completion_tokens * price.output) / 1e6;
}

/** What to do about a model without a price. */
export function noPrice(model: string, { path }: Prices): string {
  return `${path} has no price for "${model}". Add it under models (USD per million tokens), such as "${model}: { input: 0.4, output: 1.6 }", or name a file of your own with --prices.`;
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, readJsonl } from "@rag-ft/core";
import { z } from "zod";

const place = { step: z.number(), alpha: z.number().optional() };
const figures = z.record(z.string(), z.number());
const choiceSchema = z.looseObject({
  metric: z.string(),
  kept: z.looseObject(place),
  candidates: z.array(z.looseObject({ ...place, figures })),
});
const evalSchema = z.looseObject({ step: z.number() }).catchall(z.unknown());

/**
 * The deciding figure, on its eval questions, of what a training of train-retriever left.
 *
 * @throws DataError when the folder does not say.
 */
export async function evalFigure(folder: string): Promise<number> {
  const path = join(folder, "choice.json");
  const { metric, kept, candidates } = await readFile(path, "utf8")
    .then((text) => choiceSchema.parse(JSON.parse(text)))
    .catch((cause) => {
      throw new DataError(`${path}: not what train-retriever writes. Remove the folder, and run again.`, { cause });
    });
  const found = candidates.find(({ step, alpha }) => step === kept.step && alpha === kept.alpha)?.figures[metric];
  if (found !== undefined) return found;
  const lines = await readJsonl(join(folder, "eval.jsonl"), evalSchema, { what: "evaluations of train-retriever" });
  const base = lines.find(({ step }) => step === kept.step)?.[metric];
  if (typeof base === "number") return base;
  throw new DataError(`${folder}: no figure ${metric} of step ${kept.step}, which was kept. Remove it, and run again.`);
}

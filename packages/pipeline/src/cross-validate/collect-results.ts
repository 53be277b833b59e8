import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, readJsonl } from "@rag-ft/core";
import { z } from "zod";

const scoreSchema = z.looseObject({
  systems: z.array(z.looseObject({ kind: z.enum(["bm25", "dense", "hybrid"]), folder: z.string() })),
});

const rowSchema = z.looseObject({ question_id: z.string(), figures: z.record(z.string(), z.number()) });

/** A question's figures as test-retriever has them. */
export type QuestionFigures = Record<string, number>;

/** What test-retriever found of a fold: the base and the tuned model, each alone and with BM25. */
export const FOLD_SYSTEMS = ["bm25", "base", "base_hybrid", "tuned", "tuned_hybrid"] as const;
export type FoldSystem = (typeof FOLD_SYSTEMS)[number];

/** A fold's figures, question by question, of each of its systems. */
export type FoldFigures = Record<FoldSystem, QuestionFigures[]>;

/** A retriever that test-retriever measured. */
export interface MeasuredSystem {
  kind: "bm25" | "dense" | "hybrid";
  rows: QuestionFigures[];
}

/**
 * Reads what test-retriever wrote of all its systems, question by question.
 *
 * @throws DataError when it is not that, or not of the same questions.
 */
export async function readSystems(folder: string): Promise<MeasuredSystem[]> {
  const path = join(folder, "score.json");
  const { systems } = await readFile(path, "utf8")
    .then((text) => scoreSchema.parse(JSON.parse(text)))
    .catch((cause) => {
      throw new DataError(`${path}: not test-retriever's figures. Remove the folder, and run again.`, { cause });
    });
  const found = await Promise.all(
    systems.map((system) =>
      readJsonl(join(folder, system.folder, "retrieval-results.jsonl"), rowSchema, {
        what: "results of test-retriever",
      }),
    ),
  );
  const [first] = found;
  if (!found.every((rows) => rows.every((row, i) => row.question_id === first?.[i]?.question_id)))
    throw new DataError(
      `${folder}: its systems were measured on different questions. Remove the folder, and run again.`,
    );
  return systems.map(({ kind }, i) => ({ kind, rows: (found[i] ?? []).map(({ figures }) => figures) }));
}

/** The same of BM25 and two models with hybrid retrieval. */
export async function readFold(folder: string): Promise<FoldFigures> {
  const systems = await readSystems(folder);
  if (systems.length !== FOLD_SYSTEMS.length)
    throw new DataError(
      `${folder}: expected five retrievers, found ${systems.length}. Remove the folder, and run again.`,
    );
  return Object.fromEntries(FOLD_SYSTEMS.map((name, i) => [name, systems[i]?.rows ?? []])) as FoldFigures;
}

import { join } from "node:path";
import { InternalError, type Reporter, readJsonIfThere, UserError, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import type { MeasuredWeight, WeightFigures } from "./hybrid-retriever.js";
import { type Gain, gainOver, usualUnlessBeaten } from "./measured.js";
import type { RetrievalSettings } from "./retrieval-settings.js";

/** Beside the retriever's weights. */
export const HYBRID_FILE = "hybrid.json";

/** Where nothing was chosen. The README has its figures. */
export const DEFAULT_BM25_WEIGHT = 0.5;

/** Weights that are tried on the eval split; 0 is the vectors alone. */
export const BM25_WEIGHTS = [0, 0.25, 0.5, 0.75, 1, 1.5, 2];

const fileSchema = z.looseObject({
  version: z.literal(1),
  bm25_weight: z.number().min(0),
  /** Files of earlier versions lack it. */
  over_dense: z
    .looseObject({ retrieval: z.enum(["dense", "hybrid"]), gain: z.number(), low: z.number(), high: z.number() })
    .optional(),
  chosen_by: z.string().optional(),
  questions: z.number().optional(),
});

/** What `hybrid.json` says. */
export type HybridChoice = z.infer<typeof fileSchema>;

/** The default, unless another weight beats it beyond chance. */
export function chooseWeight(
  candidates: readonly MeasuredWeight[],
  metric: string,
  sources?: readonly string[],
): MeasuredWeight {
  const usual = candidates.find(({ bm25_weight }) => bm25_weight === DEFAULT_BM25_WEIGHT);
  if (!usual) throw new InternalError(`The default weight ${DEFAULT_BM25_WEIGHT} was not measured.`);
  return usualUnlessBeaten(candidates, usual, metric, sources);
}

/** How much more hybrid search finds than the vectors alone, with its 95 % interval; `retrieval` is hybrid where that is beyond chance. */
export interface GainOverDense extends Gain {
  retrieval: "dense" | "hybrid";
}

/** Compares the chosen weight with weight 0, question by question. */
export function gainOverDense(
  candidates: readonly MeasuredWeight[],
  chosen: MeasuredWeight,
  metric: string,
  sources?: readonly string[],
): GainOverDense | undefined {
  const dense = candidates.find(({ bm25_weight }) => bm25_weight === 0);
  if (!dense) throw new InternalError("The vectors alone, weight 0, were not measured.");
  if (chosen === dense || dense.rows.length === 0) return undefined;
  const gain = gainOver(dense, chosen, metric, sources);
  return gain && { retrieval: gain.low > 0 ? "hybrid" : "dense", ...gain };
}

export interface ChosenWeight {
  bm25_weight: number;
  /** Against the vectors alone; absent where that cannot be told, and in files of earlier versions. */
  over_dense?: GainOverDense;
  /** The figure that chose, and on how many questions over how many passages. */
  chosen_by: string;
  questions: number;
  passages: number;
  candidates: readonly WeightFigures[];
}

/** Keeps the weight beside a retriever, whole or not at all. */
export function writeHybridWeight(folder: string, chosen: ChosenWeight): Promise<void> {
  return writeJsonAtomic(join(folder, HYBRID_FILE), { version: 1, ...chosen });
}

/** What was chosen for a retriever; undefined where nothing was, as with a model of the hub. */
export function readHybridChoice(folder: string): Promise<HybridChoice | undefined> {
  return readJsonIfThere(
    join(folder, HYBRID_FILE),
    fileSchema,
    'expected {"version": 1, "bm25_weight": 0 or more}, as train-retriever writes it, found something else. ' +
      "Give --bm25_weight, or remove the file.",
  );
}

/** The weight kept beside a retriever; undefined where there is none. */
export async function readHybridWeight(folder: string): Promise<number | undefined> {
  return (await readHybridChoice(folder))?.bm25_weight;
}

/** Fails where something is given that nothing would read. */
export function checkRetrieval({
  retrieval,
  bm25_weight,
  retrieval_choice_of,
  truncate_dim,
  vector_store = "auto",
}: RetrievalSettings): void {
  if (vector_store !== "auto" && retrieval === "bm25")
    throw new UserError(
      `vector_store ${vector_store} is for searches by vectors, found --retrieval bm25. Leave one of the two out.`,
    );
  if (truncate_dim !== undefined && retrieval === "bm25")
    throw new UserError("truncate_dim is for searches by vectors, found --retrieval bm25. Leave one of the two out.");
  if (retrieval_choice_of !== undefined && retrieval !== "auto")
    throw new UserError(
      `retrieval_choice_of is for --retrieval auto, found --retrieval ${retrieval}. Leave one of the two out.`,
    );
  if (bm25_weight !== undefined && retrieval !== "hybrid")
    throw new UserError(
      `bm25_weight is for --retrieval hybrid, found --retrieval ${retrieval}. Leave one of the two out.`,
    );
}

/** The weight to use with a retriever: as given, as kept beside it, or the default. A line says which. */
export async function resolveBm25Weight(
  { bm25_weight }: RetrievalSettings,
  model: string,
  reporter: Pick<Reporter, "info">,
): Promise<number> {
  const kept = bm25_weight ?? (await readHybridWeight(model));
  const weight = kept ?? DEFAULT_BM25_WEIGHT;
  const from = bm25_weight !== undefined ? "as given" : kept !== undefined ? `from its ${HYBRID_FILE}` : "the default";
  reporter.info(`${model}: hybrid retrieval, dense + ${weight} BM25 (${from})`);
  return weight;
}
